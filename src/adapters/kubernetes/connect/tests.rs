//! What a kubeconfig becomes, and what a rehearsal refuses to connect to.

use super::*;

const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
current-context: prod
clusters:
  - name: arn:aws:eks:us-east-1:123456789012:cluster/eks-prod
    cluster: { server: "http://127.0.0.1:1" }
  - name: staging
    cluster: { server: "http://127.0.0.1:2" }
contexts:
  - name: prod
    context: { cluster: "arn:aws:eks:us-east-1:123456789012:cluster/eks-prod", user: oncall, namespace: payments }
  - name: staging
    context: { cluster: staging, user: ghost }
users:
  - name: oncall
    user: { token: opaque, as: breakglass }
"#;

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

async fn open(text: &str, context: Option<&str>) -> Result<Identity, Fault> {
    let (_folder, path) = file(text);
    let source =
        Source::Kubeconfig { path: Some(path), context: context.map(KubeContext::new), around: Around::default() };
    connect(source, Timeouts::default()).await.map(|connection| connection.identity)
}

#[tokio::test]
async fn a_kubeconfig_says_whom_it_connects() {
    let identity = open(KUBECONFIG, None).await.unwrap();
    assert_eq!(identity.cluster.as_str(), "eks-prod");
    let home = identity.home.expect("the ARN says whose it is");
    assert_eq!((home.account.as_str(), home.region.as_str()), ("123456789012", "us-east-1"));
    assert_eq!(identity.server, "http://127.0.0.1:1/");
    assert_eq!(identity.context.as_str(), "prod");
    assert_eq!(identity.user, "oncall as breakglass");
    assert_eq!(identity.namespace.as_str(), "payments");
    let other = open(KUBECONFIG, Some("staging")).await.unwrap();
    assert_eq!((other.cluster.as_str(), other.user.as_str()), ("staging", "ghost"));
    assert_eq!(other.home, None);
}

#[tokio::test]
async fn an_unknown_context_lists_those_there_are() {
    let fault = open(KUBECONFIG, Some("prd")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Usage);
    assert!(fault.hints.iter().any(|hint| hint == "Contexts it has: prod, staging."), "{fault}");
}

#[tokio::test]
async fn a_missing_or_broken_file_hints_at_eks() {
    let nowhere = Source::Kubeconfig {
        path: Some(PathBuf::from("/nonexistent/kubeconfig")),
        context: None,
        around: Around::default(),
    };
    let fault = connect(nowhere, Timeouts::default()).await.map(|_| ()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotConfigured);
    assert!(fault.hints.iter().any(|hint| hint.contains("aws eks update-kubeconfig")), "{fault}");
    assert_eq!(open("clusters: [", None).await.unwrap_err().kind, FaultKind::Usage);
}

#[tokio::test]
async fn a_credential_program_that_fails_is_told_by_its_own_words() {
    let exec = KUBECONFIG.replace(
        "{ token: opaque, as: breakglass }",
        r#"{ exec: { apiVersion: client.authentication.k8s.io/v1, command: sh, args: ["-c", "echo token-on-stdout; echo sso expired >&2; exit 7"] } }"#,
    );
    let fault = open(&exec, None).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Credentials);
    let told = fault.to_string();
    assert!(told.contains("sso expired"), "{told}");
    assert!(!told.contains("token-on-stdout"), "standard output may hold a token: {told}");
}

#[tokio::test]
async fn a_rehearsal_may_only_be_on_this_machine() {
    for (url, fine) in [
        ("http://127.0.0.1:8001", true),
        ("http://[::1]:8001", true),
        ("http://10.0.0.1:8001", false),
        ("http://localhost.example.com", false),
        ("https://eks-prod.example.com", false),
    ] {
        let source = Source::Rehearsal {
            url: url.to_owned(),
            cluster: "eks-prod".into(),
            context: "eks-prod".into(),
            names: None,
        };
        assert_eq!(connect(source, Timeouts::default()).await.is_ok(), fine, "{url}");
    }
}

#[test]
fn of_a_list_of_kubeconfigs_the_missing_ones_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {name}\ncontexts:\n- name: {name}\n  context: {{cluster: {name}, user: {name}}}\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    };
    let all = merged(&[folder.path().join("missing"), file("b"), file("c")]).unwrap();
    assert_eq!(all.current_context.as_deref(), Some("b"), "the first that says so");
    assert_eq!(all.contexts.iter().map(|context| context.name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
}
