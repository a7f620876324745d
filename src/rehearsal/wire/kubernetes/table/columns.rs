//! The columns of each resource, as the printers of the API server have them: between name and age, and of `-o wide`.

use super::cells::Cell;
use super::cells::Cell::{Age, Count, Keys, Of, Sum, Text};

/// Headings with what stands below them.
pub(super) type Columns = &'static [(&'static str, Cell)];

const TEMPLATE: Columns = &[("Containers", Cell::Names), ("Images", Cell::Images), ("Selector", Cell::Selector)];

/// The columns between name and age, and those of `-o wide`.
pub(super) fn of(plural: &str) -> (Columns, Columns) {
    ALL.iter().find(|row| row.0.contains(&plural)).map_or((&[], &[]), |row| (row.1, row.2))
}

static ALL: &[(&[&str], Columns, Columns)] = &[
    (
        &["pods"],
        &[("Ready", Cell::PodReady), ("Status", Cell::PodStatus), ("Restarts", Cell::PodRestarts)],
        &[
            ("IP", Text("/status/podIP")),
            ("Node", Text("/spec/nodeName")),
            ("Nominated Node", Text("/status/nominatedNodeName")),
            ("Readiness Gates", Text("/spec/readinessGates")),
        ],
    ),
    (
        &["deployments"],
        &[
            ("Ready", Of("/status/readyReplicas", "/spec/replicas")),
            ("Up-to-date", Count("/status/updatedReplicas")),
            ("Available", Count("/status/availableReplicas")),
        ],
        TEMPLATE,
    ),
    (
        &["replicasets", "replicationcontrollers"],
        &[
            ("Desired", Count("/spec/replicas")),
            ("Current", Count("/status/replicas")),
            ("Ready", Count("/status/readyReplicas")),
        ],
        TEMPLATE,
    ),
    (
        &["statefulsets"],
        &[("Ready", Of("/status/readyReplicas", "/spec/replicas"))],
        &[("Containers", Cell::Names), ("Images", Cell::Images)],
    ),
    (
        &["daemonsets"],
        &[
            ("Desired", Count("/status/desiredNumberScheduled")),
            ("Current", Count("/status/currentNumberScheduled")),
            ("Ready", Count("/status/numberReady")),
            ("Up-to-date", Count("/status/updatedNumberScheduled")),
            ("Available", Count("/status/numberAvailable")),
            ("Node Selector", Keys("/spec/template/spec/nodeSelector")),
        ],
        TEMPLATE,
    ),
    (&["controllerrevisions"], &[("Controller", Cell::Owner), ("Revision", Count("/revision"))], &[]),
    (
        &["services"],
        &[
            ("Type", Text("/spec/type")),
            ("Cluster-IP", Text("/spec/clusterIP")),
            ("External-IP", Text("/spec/externalName")),
            ("Port(s)", Cell::Ports),
        ],
        &[("Selector", Keys("/spec/selector"))],
    ),
    (
        &["horizontalpodautoscalers"],
        &[
            ("Reference", Cell::ScaleTarget),
            ("Targets", Cell::ScaleMetrics),
            ("MinPods", Count("/spec/minReplicas")),
            ("MaxPods", Count("/spec/maxReplicas")),
            ("Replicas", Count("/status/currentReplicas")),
        ],
        &[],
    ),
    (
        &["poddisruptionbudgets"],
        &[
            ("Min Available", Text("/spec/minAvailable")),
            ("Max Unavailable", Text("/spec/maxUnavailable")),
            ("Allowed Disruptions", Count("/status/disruptionsAllowed")),
        ],
        &[],
    ),
    (
        &["nodes"],
        &[("Status", Cell::NodeStatus), ("Roles", Cell::Roles), ("Version", Text("/status/nodeInfo/kubeletVersion"))],
        &[
            ("Internal-IP", Text("/status/addresses/0/address")),
            ("External-IP", Text("/status/addresses/9")),
            ("OS-Image", Text("/status/nodeInfo/osImage")),
            ("Kernel-Version", Text("/status/nodeInfo/kernelVersion")),
            ("Container-Runtime", Text("/status/nodeInfo/containerRuntimeVersion")),
        ],
    ),
    (&["namespaces"], &[("Status", Text("/status/phase"))], &[]),
    (&["configmaps"], &[("Data", Sum(&["/data", "/binaryData"]))], &[]),
    (&["secrets"], &[("Type", Text("/type")), ("Data", Sum(&["/data"]))], &[]),
    (&["serviceaccounts"], &[("Secrets", Sum(&["/secrets"]))], &[]),
    (&["resourcequotas"], &[("Request", Cell::Quota("request")), ("Limit", Cell::Quota("limit"))], &[]),
    (
        &["events"],
        &[
            ("Last Seen", Age("/lastTimestamp")),
            ("Type", Text("/type")),
            ("Reason", Text("/reason")),
            ("Object", Cell::About),
            ("Message", Text("/message")),
        ],
        &[
            ("Subobject", Text("/involvedObject/fieldPath")),
            ("Source", Text("/source/component")),
            ("First Seen", Age("/firstTimestamp")),
            ("Count", Count("/count")),
            ("Name", Text("/metadata/name")),
        ],
    ),
    (
        &["ingresses"],
        &[
            ("Class", Text("/spec/ingressClassName")),
            ("Hosts", Text("/spec/rules/0/host")),
            ("Address", Text("/status/loadBalancer/ingress/0/hostname")),
            ("Ports", Text("/spec/defaultBackend/service/port/number")),
        ],
        &[],
    ),
    (&["jobs"], &[("Completions", Of("/status/succeeded", "/spec/completions"))], TEMPLATE),
    (
        &["cronjobs"],
        &[
            ("Schedule", Text("/spec/schedule")),
            ("Suspend", Text("/spec/suspend")),
            ("Last Schedule", Age("/status/lastScheduleTime")),
        ],
        &[],
    ),
    (&["leases"], &[("Holder", Text("/spec/holderIdentity"))], &[]),
    (&["rolebindings", "clusterrolebindings"], &[("Role", Cell::RoleRef)], &[]),
];
