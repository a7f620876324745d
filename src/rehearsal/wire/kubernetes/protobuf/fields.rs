//! The kinds that are read from protobuf, field by field. Numbers from the `generated.proto` files of Kubernetes.

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Held {
    Text,
    Bytes,
    Whole,
    /// A number that is written only where it is set, so that zero means zero.
    Given,
    Truth,
    Time,
    WholeOrText,
    Message(&'static [Field]),
    /// A message whose fields stand in JSON beside those of the one around it.
    Inline(&'static [Field]),
    Messages(&'static [Field]),
    TextMap,
    BytesMap,
    /// A map of amounts.
    Quantities,
    Texts,
}

/// A field: its number, its name in JSON, what it holds.
pub(super) type Field = (u64, &'static str, Held);

use Held::{
    BytesMap, Given, Inline, Message, Messages, Quantities, Text, TextMap, Texts, Time, Truth, Whole, WholeOrText,
};

/// An entry of a map of amounts.
pub(super) const QUANTITY_ENTRY: &[Field] = &[(1, "key", Text), (2, "value", Message(&[(1, "string", Text)]))];

const META: Field = (
    1,
    "metadata",
    Message(&[
        (1, "name", Text),
        (2, "generateName", Text),
        (3, "namespace", Text),
        (5, "uid", Text),
        (6, "resourceVersion", Text),
        (7, "generation", Whole),
        (8, "creationTimestamp", Time),
        (11, "labels", TextMap),
        (12, "annotations", TextMap),
        (14, "finalizers", Texts),
    ]),
);
const ATTRIBUTES: &[Field] = &[
    (1, "namespace", Text),
    (2, "verb", Text),
    (3, "group", Text),
    (4, "version", Text),
    (5, "resource", Text),
    (6, "subresource", Text),
    (7, "name", Text),
];
const ACCESS_SPEC: &[Field] = &[
    (1, "resourceAttributes", Message(ATTRIBUTES)),
    (2, "nonResourceAttributes", Message(&[(1, "path", Text), (2, "verb", Text)])),
];
const DELETE_OPTIONS: &[Field] = &[
    (1, "gracePeriodSeconds", Whole),
    (2, "preconditions", Message(&[(1, "uid", Text), (2, "resourceVersion", Text)])),
    (3, "orphanDependents", Truth),
    (4, "propagationPolicy", Text),
    (5, "dryRun", Texts),
];
const SELECTOR: &[Field] = &[
    (1, "matchLabels", TextMap),
    (2, "matchExpressions", Messages(&[(1, "key", Text), (2, "operator", Text), (3, "values", Texts)])),
];
const BUDGET_SPEC: &[Field] = &[
    (1, "minAvailable", WholeOrText),
    (2, "selector", Message(SELECTOR)),
    (3, "maxUnavailable", WholeOrText),
    (4, "unhealthyPodEvictionPolicy", Text),
];
const RULES: Field = (
    2,
    "rules",
    Messages(&[
        (1, "verbs", Texts),
        (2, "apiGroups", Texts),
        (3, "resources", Texts),
        (4, "resourceNames", Texts),
        (5, "nonResourceURLs", Texts),
    ]),
);
const BINDING: &[Field] = &[
    META,
    (2, "subjects", Messages(&[(1, "kind", Text), (2, "apiGroup", Text), (3, "name", Text), (4, "namespace", Text)])),
    (3, "roleRef", Message(&[(1, "apiGroup", Text), (2, "kind", Text), (3, "name", Text)])),
];
const CONTAINER: &[Field] = &[
    (1, "name", Text),
    (2, "image", Text),
    (3, "command", Texts),
    (4, "args", Texts),
    (5, "workingDir", Text),
    (6, "ports", Messages(&[(1, "name", Text), (3, "containerPort", Whole), (4, "protocol", Text)])),
    (14, "imagePullPolicy", Text),
];
const TEMPLATE: &[Field] = &[
    META,
    (
        2,
        "spec",
        Message(&[(2, "containers", Messages(CONTAINER)), (3, "restartPolicy", Text), (8, "serviceAccountName", Text)]),
    ),
];
const DEPLOYMENT_SPEC: &[Field] = &[
    (1, "replicas", Given),
    (2, "selector", Message(SELECTOR)),
    (3, "template", Message(TEMPLATE)),
    (4, "strategy", Message(&[(1, "type", Text)])),
];
const JOB_SPEC: &[Field] = &[
    (1, "parallelism", Given),
    (2, "completions", Given),
    (6, "template", Message(TEMPLATE)),
    (7, "backoffLimit", Given),
];
const CRON_JOB_SPEC: &[Field] = &[
    (1, "schedule", Text),
    (3, "concurrencyPolicy", Text),
    (4, "suspend", Truth),
    (5, "jobTemplate", Message(&[META, (2, "spec", Message(JOB_SPEC))])),
];
const SERVICE_SPEC: &[Field] = &[
    (
        1,
        "ports",
        Messages(&[
            (1, "name", Text),
            (2, "protocol", Text),
            (3, "port", Whole),
            (4, "targetPort", WholeOrText),
            (5, "nodePort", Whole),
        ]),
    ),
    (2, "selector", TextMap),
    (3, "clusterIP", Text),
    (4, "type", Text),
    (10, "externalName", Text),
];

const INGRESS_BACKEND: &[Field] =
    &[(4, "service", Message(&[(1, "name", Text), (2, "port", Message(&[(1, "name", Text), (2, "number", Whole)]))]))];
const INGRESS_PATH: &[Field] = &[(1, "path", Text), (2, "backend", Message(INGRESS_BACKEND)), (3, "pathType", Text)];
const INGRESS_SPEC: &[Field] = &[
    (1, "defaultBackend", Message(INGRESS_BACKEND)),
    (2, "tls", Messages(&[(1, "hosts", Texts), (2, "secretName", Text)])),
    (
        3,
        "rules",
        Messages(&[
            (1, "host", Text),
            (2, "", Inline(&[(1, "http", Message(&[(1, "paths", Messages(INGRESS_PATH))]))])),
        ]),
    ),
    (4, "ingressClassName", Text),
];
const SCALER_SPEC: &[Field] = &[
    (1, "scaleTargetRef", Message(&[(1, "kind", Text), (2, "name", Text), (3, "apiVersion", Text)])),
    (2, "minReplicas", Given),
    (3, "maxReplicas", Whole),
    (4, "metrics", Messages(&[(1, "type", Text), (4, "resource", Message(RESOURCE_METRIC))])),
];
const RESOURCE_METRIC: &[Field] =
    &[(1, "name", Text), (2, "target", Message(&[(1, "type", Text), (4, "averageUtilization", Given)]))];

/// The kinds that are read, by their name. What a row leaves out of a kind is what `kubectl create` never sets.
pub(super) const KINDS: [(&str, &[Field]); 21] = [
    ("SelfSubjectAccessReview", &[META, (2, "spec", Message(ACCESS_SPEC))]),
    ("SelfSubjectRulesReview", &[META, (2, "spec", Message(&[(1, "namespace", Text)]))]),
    ("SelfSubjectReview", &[META]),
    ("Eviction", &[META, (2, "deleteOptions", Message(DELETE_OPTIONS))]),
    ("DeleteOptions", DELETE_OPTIONS),
    ("Secret", &[META, (2, "data", BytesMap), (3, "type", Text), (4, "stringData", TextMap), (5, "immutable", Truth)]),
    ("ConfigMap", &[META, (2, "data", TextMap), (3, "binaryData", BytesMap), (4, "immutable", Truth)]),
    ("Namespace", &[META, (2, "spec", Message(&[(1, "finalizers", Texts)]))]),
    ("ServiceAccount", &[META, (4, "automountServiceAccountToken", Truth)]),
    ("ResourceQuota", &[META, (2, "spec", Message(&[(1, "hard", Quantities), (2, "scopes", Texts)]))]),
    ("PodDisruptionBudget", &[META, (2, "spec", Message(BUDGET_SPEC))]),
    ("Deployment", &[META, (2, "spec", Message(DEPLOYMENT_SPEC))]),
    ("Job", &[META, (2, "spec", Message(JOB_SPEC))]),
    ("CronJob", &[META, (2, "spec", Message(CRON_JOB_SPEC))]),
    ("Service", &[META, (2, "spec", Message(SERVICE_SPEC))]),
    ("Ingress", &[META, (2, "spec", Message(INGRESS_SPEC))]),
    ("HorizontalPodAutoscaler", &[META, (2, "spec", Message(SCALER_SPEC))]),
    ("Role", &[META, RULES]),
    ("ClusterRole", &[META, RULES]),
    ("RoleBinding", BINDING),
    ("ClusterRoleBinding", BINDING),
];
