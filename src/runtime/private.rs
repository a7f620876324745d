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

/// Writes a file anew.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(OWN).open(path)?;
    // A device or a pipe, as in `-o /dev/stdout`, keeps its mode.
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(OWN))?;
        file.set_len(0)?;
    }
    file.write_all(text.as_bytes())
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
    }
}
