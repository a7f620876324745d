//! Files that their owner alone may read, also where one is written over: they tell of customers' systems.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// What only the owner may do.
const OWN: u32 = 0o600;

/// Writes a file that is not there yet.
pub fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWN).open(path)?;
    file.write_all(text.as_bytes())
}

/// Writes a file anew: beside the one that is there, which is lost only once the new one is whole.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    // A device or a pipe, as in `-o /dev/stdout`, keeps its mode and takes what comes.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes());
    }
    // A link stays one.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = target.with_file_name(name);
    let done = anew(&part, text).and_then(|()| std::fs::rename(&part, &target));
    if done.is_err() {
        drop(std::fs::remove_file(&part));
    }
    done
}

fn anew(part: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWN).open(part)?;
    file.set_permissions(Permissions::from_mode(OWN))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_others_could_read_is_written_over_as_a_private_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("transcript.md");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        write(&path, "new").unwrap();
        assert_eq!(mode(), OWN);
        std::fs::write(&path, "what was there before").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        write(&path, "new").unwrap();
        assert_eq!((mode(), std::fs::read_to_string(&path).unwrap().as_str()), (OWN, "new"));
        write(Path::new("/dev/null"), "new").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_was_there_is_lost_only_with_the_whole_of_the_new() {
        use std::io::Read as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("transcript.md");
        std::fs::write(&path, "what was there before").unwrap();
        let mut reading = std::fs::File::open(&path).unwrap();
        write(&path, "new").unwrap();
        let mut before = String::new();
        reading.read_to_string(&mut before).unwrap();
        assert_eq!(before, "what was there before", "it was not written over");
        // A folder where the new one should come to lie: it cannot be written, and the old one stays.
        std::fs::create_dir(folder.path().join("transcript.md.part")).unwrap();
        assert!(write(&path, "newer").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }
}
