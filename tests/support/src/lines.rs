use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Counts the lines of a file that grows; what was counted before is not read again.
pub struct Lines {
    path: PathBuf,
    /// Bytes read, and lines that ended in them.
    counted: Mutex<(u64, u64)>,
}

impl Lines {
    /// The file need not be there yet.
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), counted: Mutex::default() }
    }

    /// How many whole lines there are now.
    pub fn count(&self) -> u64 {
        let mut counted = self.counted.lock().unwrap();
        let Ok(mut file) = File::open(&self.path) else { return 0 };
        let mut new = Vec::new();
        file.seek(SeekFrom::Start(counted.0)).unwrap();
        file.read_to_end(&mut new).unwrap();
        counted.0 += u64::try_from(new.len()).unwrap();
        counted.1 += new.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        counted.1
    }
}
