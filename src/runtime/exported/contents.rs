//! What a file holds as text: unpacked, decoded, and refused where it is no text, since bytes that are not understood would
//! count as lines without a word.

use std::io::Read as _;
use std::path::Path;

use crate::domain::fault::{Fault, FaultKind};

/// The most of a file that is read: half a gibibyte is no export of one incident.
const MOST_BYTES: u64 = 512 << 20;
/// So much of a file tells whether it is text.
const HEAD: usize = 64 << 10;
/// Of text not one byte in so many is a NUL, nor one character in a quarter of so many unreadable.
const RARE: usize = 64;

/// Other ways to pack, by how they begin, and what unpacks them.
const PACKED: [(&[u8], &str); 4] =
    [(b"\x28\xb5\x2f\xfd", "zstdcat"), (b"\xfd7zXZ\0", "xzcat"), (b"BZh", "bzcat"), (b"PK\x03\x04", "unzip -p")];

/// A file's text: unpacked where it is gzip, decoded where it is UTF-16; what else is not UTF-8 is replaced, as a log may hold
/// anything.
pub(super) fn contents(path: &Path) -> Result<String, Fault> {
    // Of whatever kind: it is the file that was named that is wrong.
    let unreadable =
        |why: String| Fault::new(FaultKind::Usage, format!("The file {} cannot be read.", path.display())).cause(why);
    let hint = "Check its name, and that you may read it.";
    let size = std::fs::metadata(path).map_err(|error| unreadable(format!("{error}.")).hint(hint))?.len();
    let too_large =
        || unreadable(format!("It has more than {MOST_BYTES} bytes.")).hint("Export the time of the incident alone.");
    if size > MOST_BYTES {
        return Err(too_large());
    }
    let mut bytes = std::fs::read(path).map_err(|error| unreadable(format!("{error}.")).hint(hint))?;
    if bytes.starts_with(b"\x1f\x8b") {
        let mut unpacked = Vec::new();
        let read = flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(MOST_BYTES + 1).read_to_end(&mut unpacked);
        read.map_err(|error| {
            unreadable(format!("It is packed with gzip, and broken: {error}.")).hint("Export or copy it once more.")
        })?;
        if unpacked.len() as u64 > MOST_BYTES {
            return Err(too_large());
        }
        bytes = unpacked;
    }
    decoded(&bytes, path)
}

fn decoded(bytes: &[u8], path: &Path) -> Result<String, Fault> {
    let no_text =
        |why: &str| Fault::new(FaultKind::Usage, format!("The file {} is no text.", path.display())).cause(why);
    if let Some((_, program)) = PACKED.iter().find(|(begin, _)| bytes.starts_with(begin)) {
        return Err(no_text("It is packed.").hint(format!("Unpack it first: `{program} {}`.", path.display())));
    }
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    if bytes.starts_with(b"\xff\xfe") {
        return Ok(utf16(u16::from_le_bytes));
    }
    if bytes.starts_with(b"\xfe\xff") {
        return Ok(utf16(u16::from_be_bytes));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = &bytes[..bytes.len().min(HEAD)];
    let nuls = head.split(|byte| *byte == 0).count() - 1;
    let lossy = String::from_utf8_lossy(head);
    let unknown = lossy.chars().filter(|letter| *letter == char::REPLACEMENT_CHARACTER).count();
    if nuls * RARE > head.len() || unknown * RARE / 4 > head.len() {
        return Err(
            no_text("It holds bytes that are no text in UTF-8.").hint("Convert it first, for instance with `iconv`.")
        );
    }
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn packed_and_wide_text_is_read_and_what_is_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let read = |bytes: &[u8]| {
            let path = folder.path().join("app.log");
            std::fs::write(&path, bytes).unwrap();
            contents(&path)
        };
        let text = "2026-05-01T09:00:00Z ERROR OOMKilled\n";
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for fine in [
            text.as_bytes().to_vec(),
            packed.clone(),
            [b"\xff\xfe".to_vec(), wide(u16::to_le_bytes)].concat(),
            [b"\xfe\xff".to_vec(), wide(u16::to_be_bytes)].concat(),
            [b"\xef\xbb\xbf".to_vec(), text.as_bytes().to_vec()].concat(),
        ] {
            assert_eq!(read(&fine).unwrap(), text, "{fine:?}");
        }
        assert!(read(b"caf\xe9 is open, and one letter of Latin-1 is no reason to refuse a log").is_ok());
        let zstd = [b"\x28\xb5\x2f\xfd".to_vec(), vec![7; 90]].concat();
        let noise: Vec<u8> = (0_u32..900).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80).collect();
        for wrong in [zstd, wide(u16::to_le_bytes), noise, packed[..packed.len() - 6].to_vec()] {
            let fault = read(&wrong).unwrap_err();
            assert!(
                matches!(fault.kind, FaultKind::Usage | FaultKind::Storage) && !fault.causes.is_empty(),
                "{fault:?}"
            );
        }
    }
}
