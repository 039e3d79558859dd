//! Events in a file: each after its length, four bytes, little-endian.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Much is read and written at once.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes a file that is there under its name only once it is whole.
pub struct Writer {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
}

impl Writer {
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let partial = path.with_extension("partial");
        let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(&partial)?);
        Ok(Self { path: path.to_path_buf(), partial, file })
    }

    pub fn write(&mut self, events: &[Vec<u8>]) -> std::io::Result<()> {
        for event in events {
            let length = u32::try_from(event.len()).map_err(std::io::Error::other)?;
            self.file.write_all(&length.to_le_bytes())?;
            self.file.write_all(event)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> std::io::Result<()> {
        self.file.flush()?;
        std::fs::rename(self.partial, self.path)
    }
}

/// Events of a file, so many at a time.
pub struct Batches {
    file: BufReader<File>,
    size: usize,
}

impl Batches {
    pub fn open(path: &Path, size: usize) -> std::io::Result<Self> {
        Ok(Self { file: BufReader::with_capacity(BUFFER_BYTES, File::open(path)?), size })
    }

    /// The next event; nothing at the end.
    fn event(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut length = [0; 4];
        match self.file.read_exact(&mut length) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let mut event = vec![0; usize::try_from(u32::from_le_bytes(length)).map_err(std::io::Error::other)?];
        self.file.read_exact(&mut event)?;
        Ok(Some(event))
    }
}

impl Iterator for Batches {
    type Item = std::io::Result<Vec<Vec<u8>>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut batch = Vec::with_capacity(self.size);
        while batch.len() < self.size {
            match self.event() {
                Ok(Some(event)) => batch.push(event),
                Ok(None) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        (!batch.is_empty()).then_some(Ok(batch))
    }
}
