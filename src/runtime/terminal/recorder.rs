//! The recording of a screen: the same frames drawn once more for a file, without what a person types that is nobody's
//! business. The disk is never waited for.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::{Frame, Terminal};

use super::wire::{Sink, Wire};
use super::writer::Writer;
use crate::domain::fault::{Fault, FaultKind};
use crate::report::cast;
use crate::ui::model::Size;

/// A recording that cannot be kept up is ended rather than kept in memory: so many bytes may wait for the disk.
const MOST_WAITING: usize = 4 << 20;
/// So long the end of a recording waits for it.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// Frames as lines of a cast.
#[derive(Debug)]
struct Reel<T> {
    to: T,
    at_ms: u64,
}

impl<T: Tape> Sink for Reel<T> {
    fn take(&mut self, frame: Vec<u8>) {
        self.to.add(cast::output(self.at_ms, &String::from_utf8_lossy(&frame)));
    }
}

/// Where the lines go.
trait Tape {
    fn add(&mut self, line: String);
}

impl Tape for Arc<Writer> {
    fn add(&mut self, line: String) {
        self.send(line.into_bytes());
    }
}

impl Tape for String {
    fn add(&mut self, line: String) {
        self.push_str(&line);
    }
}

/// A recording.
#[derive(Debug)]
struct Camera<T: Tape> {
    terminal: Terminal<Wire<Reel<T>>>,
    size: Size,
}

impl<T: Tape> Camera<T> {
    fn new(mut to: T, size: Size, (began, title): (Timestamp, &str)) -> Result<Self, Fault> {
        to.add(cast::header((size.cols, size.rows), began, title));
        let wire = Wire::new(Reel { to, at_ms: 0 }, size);
        let terminal = Terminal::new(wire).map_err(|error| {
            Fault::new(FaultKind::Internal, "The recording could not be started.").cause(error.to_string())
        })?;
        Ok(Self { terminal, size })
    }

    fn frame(&mut self, (size, at_ms): (Size, u64), render: impl FnOnce(&mut Frame<'_>)) {
        let reel = self.terminal.backend_mut().sink();
        reel.at_ms = at_ms;
        if size != self.size {
            reel.to.add(cast::resize(at_ms, (size.cols, size.rows)));
            self.terminal.backend_mut().resized(size);
            self.size = size;
        }
        // What is drawn into memory cannot fail to be drawn.
        let _ = self.terminal.draw(render);
    }
}

/// A recording into a file, while the screen is flown.
#[derive(Debug)]
pub struct Recorder {
    camera: Camera<Arc<Writer>>,
    writer: Arc<Writer>,
    began_ms: u64,
    patience: Duration,
}

impl Recorder {
    /// Begins a recording in a new file that its owner alone may read; never writes over one.
    pub fn start(path: &Path, size: Size, (began, mono_ms): (Timestamp, u64)) -> Result<Self, Fault> {
        let failed = |error: std::io::Error| {
            Fault::new(FaultKind::Usage, format!("{} cannot be recorded to.", path.display()))
                .cause(format!("{error}."))
                .hint("Name a new file in a folder that you may write to.")
        };
        let file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let writer = Writer::start(file).map_err(failed)?;
        Self::to(writer, size, (began, mono_ms))
    }

    fn to(writer: Arc<Writer>, size: Size, (began, mono_ms): (Timestamp, u64)) -> Result<Self, Fault> {
        let camera = Camera::new(Arc::clone(&writer), size, (began, "pagerdeck"))?;
        Ok(Self { camera, writer, began_ms: mono_ms, patience: LAST_WRITE })
    }

    /// Records a frame, if it differs from the one before. `false` once the file takes no more.
    pub fn frame(&mut self, (size, mono_ms): (Size, u64), render: impl FnOnce(&mut Frame<'_>)) -> bool {
        self.camera.frame((size, mono_ms.saturating_sub(self.began_ms)), render);
        let takes = self.writer.settles(Duration::ZERO).is_ok() && self.writer.behind() <= MOST_WAITING;
        if !takes {
            // Who flies the screen must not wait for what has failed.
            self.patience = Duration::ZERO;
        }
        takes
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.writer.settles(self.patience);
        self.writer.stop();
    }
}

/// A recording in memory: of a journal, played again.
#[derive(Debug)]
pub struct Film(Camera<String>);

impl Film {
    /// Begins one.
    pub fn new(size: Size, (began, title): (Timestamp, &str)) -> Result<Self, Fault> {
        Camera::new(String::new(), size, (began, title)).map(Self)
    }

    /// Adds a frame, if it differs from the one before.
    pub fn frame(&mut self, at_ms: u64, render: impl FnOnce(&mut Frame<'_>)) {
        let size = self.0.size;
        self.0.frame((size, at_ms), render);
    }

    /// The whole of it.
    pub fn text(mut self) -> String {
        std::mem::take(&mut self.0.terminal.backend_mut().sink().to)
    }
}

#[cfg(test)]
mod tests {
    use ratatui::text::Text;

    use super::*;

    #[test]
    fn frames_and_sizes_are_recorded_and_an_unchanged_frame_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.cast");
        let (small, large) = (Size { cols: 20, rows: 4 }, Size { cols: 30, rows: 5 });
        let mut recorder = Recorder::start(&path, small, (Timestamp::UNIX_EPOCH, 1_000)).unwrap();
        for (size, at) in [(small, 1_000), (small, 1_500), (large, 2_000)] {
            assert!(recorder.frame((size, at), |frame| frame.render_widget("hello", frame.area())));
        }
        drop(recorder);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let codes: Vec<_> =
            lines[1..].iter().map(|line| (line[0].as_f64().unwrap(), line[1].as_str().unwrap())).collect();
        assert_eq!(codes, [(0.0, "o"), (1.0, "r"), (1.0, "o")]);
        assert!(lines[1][2].as_str().unwrap().contains("hello"));
        assert!(Recorder::start(&path, small, (Timestamp::UNIX_EPOCH, 0)).is_err(), "no file is written over");
    }

    /// A disk that takes nothing.
    struct Stuck(std::sync::mpsc::Receiver<()>);

    impl std::io::Write for Stuck {
        fn write(&mut self, _bytes: &[u8]) -> std::io::Result<usize> {
            let gone = std::io::ErrorKind::BrokenPipe;
            self.0.recv().map(|()| 0).map_err(|_| gone.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_recording_that_cannot_be_kept_up_is_ended() {
        let (_gate, stuck) = std::sync::mpsc::channel();
        let size = Size { cols: 200, rows: 60 };
        let writer = Writer::start(Stuck(stuck)).unwrap();
        let mut recorder = Recorder::to(writer, size, (Timestamp::UNIX_EPOCH, 0)).unwrap();
        let ended = (0..10_000_u64).find(|at| {
            let letters = if at % 2 == 0 { "ab" } else { "ba" };
            let text = Text::raw(format!("{}\n", letters.repeat(100)).repeat(60));
            !recorder.frame((size, *at), |frame| frame.render_widget(text, frame.area()))
        });
        assert!(ended.is_some_and(|frames| frames > 10), "{ended:?}");
        assert!(recorder.writer.behind() <= 2 * MOST_WAITING);
    }
}
