//! The way into a rehearsal's cloud for other programs: a folder with a kubeconfig and the variables of a shell, there as long
//! as the rehearsal runs. The ports are drawn anew for every run, so nothing of it goes into a journal.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::private;
use crate::domain::fault::{Fault, FaultKind};
use crate::journal::make_folder;
use crate::rehearsal::Rehearsal;

/// The files; they go when it does.
#[derive(Debug)]
pub(super) struct Attached(Vec<PathBuf>);

impl Drop for Attached {
    fn drop(&mut self) {
        for file in &self.0 {
            // Somebody may have taken it away already.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Writes the files into a folder, which is made where it is not there.
///
/// # Errors
/// `Storage` where it cannot be written.
pub(super) fn lay(folder: &Path, rehearsal: &Rehearsal) -> Result<Attached, Fault> {
    let unwritten = |error: std::io::Error| {
        Fault::new(FaultKind::Storage, format!("Nothing can be written into {}.", folder.display()))
            .cause(format!("{error}."))
            .hint("Name another folder by `--attach`; what lies there already is left alone.")
    };
    make_folder(folder).map_err(unwritten)?;
    let folder = folder.canonicalize().map_err(unwritten)?;
    let (kubeconfig, variables) = (folder.join("kubeconfig"), folder.join("env"));
    // Only what was written here is taken away at the end: there may be somebody's own files of these names.
    let mut attached = Attached(Vec::new());
    for (file, text) in [(&kubeconfig, config(rehearsal)), (&variables, environment(&kubeconfig, rehearsal))] {
        private::create(file, &text).map_err(unwritten)?;
        attached.0.push(file.clone());
    }
    Ok(attached)
}

fn config(rehearsal: &Rehearsal) -> String {
    let scope = &rehearsal.scenario.scope;
    let (cluster, context, user) = (&scope.cluster, &scope.context, "rehearsal");
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": context,
        "clusters": [{"name": cluster, "cluster": {"server": rehearsal.endpoints.kubernetes}}],
        "contexts": [{
            "name": context, "context": {"cluster": cluster, "user": user, "namespace": scope.namespace},
        }],
        "users": [{"name": user, "user": {"token": user}}],
    });
    format!("{text:#}\n")
}

fn environment(kubeconfig: &Path, rehearsal: &Rehearsal) -> String {
    let endpoints = &rehearsal.endpoints;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let set = [
        ("KUBECONFIG", quoted(&kubeconfig.display().to_string())),
        ("AWS_ENDPOINT_URL", quoted(&endpoints.aws)),
        ("AWS_REGION", quoted(rehearsal.scenario.scope.region.as_str())),
        // Version 1 of the AWS CLI, and boto3, read this one alone.
        ("AWS_DEFAULT_REGION", quoted(rehearsal.scenario.scope.region.as_str())),
        ("AWS_ACCESS_KEY_ID", "rehearsal".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "rehearsal".to_owned()),
    ];
    let lines = set.map(|(name, value)| format!("export {name}={value}\n")).concat();
    format!(
        "# The simulated cloud of a running rehearsal, for kubectl, helm and aws. Read it by `. FILE`.\n\
         unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CA_BUNDLE AWS_ENDPOINT_URL_CLOUDWATCH AWS_ENDPOINT_URL_CLOUDWATCH_LOGS \
         AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_BEDROCK_RUNTIME\n{lines}# The charts of its releases: helm repo add rehearsal {}\n",
        endpoints.charts
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::rehearsal::StartOptions;
    use crate::rehearsal::clock::Speed;
    use crate::rehearsal::scenario::load;

    #[tokio::test]
    async fn the_files_lead_to_the_servers_are_private_and_go_with_the_run() {
        let options = StartOptions { speed: Speed::Times(1.0), seed: None };
        let rehearsal = crate::rehearsal::start(load("oom-leak").unwrap(), options).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("it's here");
        let attached = lay(&folder, &rehearsal).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let config: serde_json::Value = serde_json::from_str(&read("kubeconfig")).unwrap();
        assert_eq!(config["clusters"][0]["cluster"]["server"], rehearsal.endpoints.kubernetes.as_str());
        assert_eq!(config["contexts"][0]["context"]["namespace"], "payments");
        assert!(read("env").contains(&format!("export AWS_ENDPOINT_URL='{}'\n", rehearsal.endpoints.aws)));
        assert!(read("env").contains("it'\\''s here/kubeconfig'"), "{}", read("env"));
        assert!(read("env").contains("export AWS_DEFAULT_REGION='us-east-1'\n"), "{}", read("env"));
        for name in ["kubeconfig", "env"] {
            let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        drop(attached);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::write(folder.join("env"), "mine").unwrap();
        assert!(lay(&folder, &rehearsal).unwrap_err().causes[0].contains("exists"));
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!((left, read("env").as_str()), (vec!["env".into()], "mine"));
        rehearsal.stop().await;
    }
}
