"""Validates JSON objects, one a line on standard input, against the published OpenAPI schemas of Kubernetes 1.34.

Prints a line for each that does not hold, and at the end how many were read of how many kinds. Exits 1 if any was wrong.
"""

import json
import sys

import jsonschema
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

FOLDER = "kubernetes-json-schema/v1.34.0-local-strict"
definitions = schema_contents(f"{FOLDER}/_definitions.json", "1.34")
schemas = Resource.from_contents(definitions) @ Registry()
base = definitions["$id"]

by_kind = {}
for name, schema in definitions["$defs"].items():
    for gvk in schema.get("x-kubernetes-group-version-kind", []):
        api = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
        by_kind.setdefault((api, gvk["kind"]), name)

# What the API server serves and its OpenAPI document does not hold: the forms made for clients that draw tables.
UNPUBLISHED = {
    ("meta.k8s.io/v1", "Table"),
    ("apidiscovery.k8s.io/v2", "APIGroupDiscoveryList"),
}

validators = {}
wrong, seen, count = 0, set(), 0
for line in sys.stdin:
    record = json.loads(line)
    where, body = record["where"], record["object"]
    kind = (body.get("apiVersion", "v1"), body.get("kind"))
    count += 1
    seen.add(kind)
    if kind in UNPUBLISHED:
        continue
    if kind not in by_kind:
        print(f"{where}: there is no {kind[1]} in {kind[0]}")
        wrong += 1
        continue
    if kind not in validators:
        reference = {"$ref": f"{base}#/$defs/{by_kind[kind]}"}
        validators[kind] = jsonschema.Draft202012Validator(reference, **{"registry": schemas})
    for error in list(validators[kind].iter_errors(body))[:5]:
        wrong += 1
        place = ".".join(str(step) for step in error.absolute_path)
        print(f"{where}: {kind[1]} {place}: {error.message[:300]}")
print(f"{count} objects of {len(seen)} kinds, {wrong} complaints")
sys.exit(1 if wrong or not count else 0)
