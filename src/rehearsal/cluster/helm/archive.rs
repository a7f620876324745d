//! Archives as Helm packs them: a tar file in gzip, written plainly.

/// The size that everything in a tar file is filled up to.
const BLOCK: usize = 512;

/// A tar file (POSIX ustar) of text files by their paths.
pub(super) fn tar(files: &[(String, String)]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (path, text) in files {
        archive.extend(header(path, text.len()));
        archive.extend(text.as_bytes());
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// The header of a file: octal numbers in fields of text, and a sum over all of it.
fn header(path: &str, size: usize) -> [u8; BLOCK] {
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    // A path has a hundred bytes; those of charts here are shorter.
    put(0, &path[..path.len().min(100)]);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\u{0}00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}

/// A gzip file (RFC 1952) of stored blocks (RFC 1951, 3.2.4): valid to every reader, and no compressor is needed.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        file.push(u8::from(blocks.peek().is_none()));
        file.extend(length.to_le_bytes());
        file.extend((!length).to_le_bytes());
        file.extend(block);
    }
    file.extend(crc32(bytes).to_le_bytes());
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

/// The checksum of gzip: CRC-32 with the reflected polynomial 0xEDB88320 (RFC 1952, section 8).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(gzip(b"a").len(), 10 + 5 + 1 + 8);
        assert_eq!(gzip(&vec![0; 70_000]).len(), 10 + 2 * 5 + 70_000 + 8);
    }

    #[test]
    fn a_tar_file_is_made_of_blocks() {
        let archive = tar(&[("a/Chart.yaml".to_owned(), "name: a\n".to_owned())]);
        assert_eq!(archive.len(), 4 * BLOCK, "a header, a block of text, two of nothing");
        assert_eq!((&archive[257..262], &archive[BLOCK..BLOCK + 7]), (&b"ustar"[..], &b"name: a"[..]));
        assert_eq!(&archive[124..135], b"00000000010", "eight bytes");
    }
}
