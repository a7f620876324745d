//! Where files lie, by the XDG base directories. Names folders; makes none.

use std::path::{Path, PathBuf};

use super::Environment;
use crate::domain::fault::{Fault, FaultKind};

/// Files and folders of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The configuration; need not exist unless it was named.
    pub config: PathBuf,
    /// Whether the configuration was named by flag or variable: then it must exist.
    pub config_named: Named,
    /// The policy; need not exist unless it was named.
    pub policy: PathBuf,
    /// Whether the policy was named by variable: then it must exist.
    pub policy_named: Named,
    /// Our state folder.
    pub state: PathBuf,
    /// Journals, inside the state folder.
    pub sessions: PathBuf,
    /// Our own log, inside the state folder.
    pub log: PathBuf,
}

/// Whether a person named a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// By flag or variable.
    ByPerson,
    /// The usual place.
    Usual,
}

impl Paths {
    /// Resolves every path. Fails when there is neither a home nor a variable that replaces it.
    pub fn resolve(flag: Option<&Path>, env: &Environment) -> Result<Self, Fault> {
        let named = flag.map(Path::to_path_buf).or_else(|| env.get("PAGERDECK_CONFIG").map(PathBuf::from));
        let (config, config_named) = match named {
            Some(path) => (path, Named::ByPerson),
            None => (folder(env, "XDG_CONFIG_HOME", ".config")?.join("config.toml"), Named::Usual),
        };
        let (policy, policy_named) = match env.get("PAGERDECK_POLICY") {
            Some(path) => (PathBuf::from(path), Named::ByPerson),
            None => (config.with_file_name("policy.toml"), Named::Usual),
        };
        let state = match env.get("PAGERDECK_STATE") {
            Some(path) => PathBuf::from(path),
            None => folder(env, "XDG_STATE_HOME", ".local/state")?,
        };
        Ok(Self {
            config,
            config_named,
            policy,
            policy_named,
            sessions: state.join("sessions"),
            log: state.join("pagerdeck.log"),
            state,
        })
    }
}

/// The base directory specification: a variable that is not an absolute path is to be ignored.
fn folder(env: &Environment, variable: &str, below_home: &str) -> Result<PathBuf, Fault> {
    let base = env.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env.get("HOME").map(|home| Path::new(home).join(below_home)));
    base.map(|base| base.join("pagerdeck")).ok_or_else(|| {
        Fault::new(FaultKind::Usage, "There is no home folder to keep files in.")
            .hint("Set HOME, or PAGERDECK_CONFIG and PAGERDECK_STATE.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_variables_and_variables_over_the_home() {
        let env = Environment::of([("HOME", "/h"), ("XDG_STATE_HOME", "relative"), ("PAGERDECK_CONFIG", "/e/c.toml")]);
        let by_env = Paths::resolve(None, &env).unwrap();
        assert_eq!(by_env.config, Path::new("/e/c.toml"));
        assert_eq!(by_env.policy, Path::new("/e/policy.toml"));
        assert_eq!(by_env.sessions, Path::new("/h/.local/state/pagerdeck/sessions"));
        let by_flag = Paths::resolve(Some(Path::new("f.toml")), &env).unwrap();
        assert_eq!((by_flag.config.as_path(), by_flag.config_named), (Path::new("f.toml"), Named::ByPerson));
        let bare = Paths::resolve(None, &Environment::of([("HOME", "/h")])).unwrap();
        assert_eq!(
            (bare.config.as_path(), bare.config_named),
            (Path::new("/h/.config/pagerdeck/config.toml"), Named::Usual)
        );
        assert_eq!(Paths::resolve(None, &Environment::default()).unwrap_err().kind, FaultKind::Usage);
    }
}
