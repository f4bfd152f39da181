//! Where the bytes of files are: objects in a directory or a bucket, each written once, under a name that no other has, and never
//! changed. What an object belongs to only the store knows; one that it does not know is nobody's, and swept away in time.
//!
//! Nothing is ever whole in memory. Hashes are made on the way, on threads of their own, of which there are as many as cores.

mod bucket;
mod write;

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use antiphon_store::PortalId;
use anyhow::Context;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt};
use tokio::sync::Semaphore;

use crate::config::Config;
pub use write::{Writing, Written};

/// The directory in the data directory.
const DIRECTORY: &str = "files";

/// Bytes of a part: on a disk, and in a bucket, where parts are fewer.
const PART: usize = 1 << 20;
const BUCKET_PART: usize = 8 << 20;

/// Bytes that are read from a disk at once, and how many times that: while one piece is sent the next is read.
const PIECE: u64 = 256 << 10;
const PIECES: usize = 2;

/// Where bytes are kept.
pub struct Kept {
    objects: Arc<dyn ObjectStore>,
    /// The directory, if it is one: what was begun there and never came to an end has to be looked for.
    directory: Option<PathBuf>,
    part: usize,
    /// Work that keeps a core busy: hashes, and images.
    pub busy: Arc<Semaphore>,
    /// Uploads under way.
    pub uploads: Arc<Semaphore>,
}

impl Kept {
    /// Opens the place that is configured.
    ///
    /// # Errors
    /// One sentence that says what to do.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let files = &config.files;
        let local = match files.url.strip_prefix("file://") {
            Some(path) => Some(PathBuf::from(path)),
            None if files.url.is_empty() => Some(std::path::absolute(&config.data_dir)?.join(DIRECTORY)),
            None => None,
        };
        let (objects, part): (Arc<dyn ObjectStore>, _) = match &local {
            Some(path) => {
                let shown = path.display();
                std::fs::create_dir_all(path)
                    .with_context(|| format!("the files cannot be kept in {shown}; make it writable"))?;
                let open = LocalFileSystem::new_with_prefix(path)
                    .with_context(|| format!("the files cannot be kept in {shown}"))?;
                // In tests that show what is lost without it, nothing is synced.
                let synced = std::env::var_os("ANTIPHON_UNSAFE_NO_SYNC").is_none();
                (Arc::new(open.with_fsync(synced)), PART)
            }
            None => {
                let (bucket, prefix) = bucket::open(files)?;
                (Arc::new(PrefixStore::new(bucket, prefix)), BUCKET_PART)
            }
        };
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            objects,
            directory: local,
            part,
            busy: Arc::new(Semaphore::new(cores)),
            uploads: Arc::new(Semaphore::new(files.uploads)),
        })
    }

    /// Begins an object. It is there for readers once it is finished.
    pub fn write(&self, portal: PortalId) -> Writing {
        Writing::new(self.objects.clone(), self.busy.clone(), self.part, fresh(portal))
    }

    /// Reads an object, or a part of it; `None` when it is not there.
    ///
    /// # Errors
    /// When the place does not answer.
    pub async fn read(
        &self,
        object: &str,
        range: Option<Range<u64>>,
    ) -> anyhow::Result<Option<BoxStream<'static, anyhow::Result<Bytes>>>> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        match self.objects.get_opts(&Path::from(object), options).await {
            Ok(found) => Ok(Some(match found.payload {
                // In pieces of 8 KiB, as it would come by itself, a big file takes long.
                GetResultPayload::File(file, _) => pieces(file, found.range),
                _ => found.into_stream().map_err(anyhow::Error::from).boxed(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a small object whole.
    ///
    /// # Errors
    /// When the place does not answer.
    pub async fn whole(&self, object: &str) -> anyhow::Result<Option<Bytes>> {
        match self.objects.get(&Path::from(object)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a small object whole, whatever was there.
    ///
    /// # Errors
    /// When the place does not take it.
    pub async fn put(&self, object: &str, bytes: Bytes) -> anyhow::Result<()> {
        self.objects.put(&Path::from(object), bytes.into()).await?;
        Ok(())
    }

    /// How long an object is; `None` when it is not there.
    ///
    /// # Errors
    /// When the place does not answer.
    pub async fn length(&self, object: &str) -> anyhow::Result<Option<u64>> {
        match self.objects.head(&Path::from(object)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Erases an object. One that is not there is erased already.
    ///
    /// # Errors
    /// When the place does not answer.
    pub async fn erase(&self, object: &str) -> anyhow::Result<()> {
        match self.objects.delete(&Path::from(object)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Objects of a portal that were written before some time ago.
    pub fn older(&self, portal: PortalId, than: Duration) -> BoxStream<'static, anyhow::Result<String>> {
        let before = machine_now() - than;
        let listed = self.objects.list(Some(&Path::from(portal.to_string())));
        let old = listed.try_filter_map(move |object| async move {
            let old = SystemTime::from(object.last_modified) < before;
            Ok(old.then(|| object.location.to_string()))
        });
        old.map_err(anyhow::Error::from).boxed()
    }

    /// Erases what was begun in a directory some time ago and never came to an end; how much that was.
    pub async fn abandon(&self, portal: PortalId, than: Duration) -> u64 {
        let Some(directory) = &self.directory else { return 0 };
        let (place, before) = (directory.join(portal.to_string()), machine_now() - than);
        let sweep = move || {
            let mut gone = 0;
            let below = std::fs::read_dir(place).into_iter().flatten().flatten();
            for file in below.flat_map(|at| std::fs::read_dir(at.path())).flatten().flatten() {
                let begun = file.file_name().to_string_lossy().contains('#');
                let old = file.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at < before);
                gone += u64::from(begun && old && std::fs::remove_file(file.path()).is_ok());
            }
            gone
        };
        tokio::task::spawn_blocking(sweep).await.unwrap_or_default()
    }

    /// Does work that keeps a core busy, on a thread where that holds nobody up.
    ///
    /// # Errors
    /// When it panics.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let place = self.busy.clone().acquire_owned().await?;
        let work = move || {
            let _place = place;
            work()
        };
        Ok(tokio::task::spawn_blocking(work).await?)
    }
}

/// Reads a part of a file.
fn pieces(file: File, range: Range<u64>) -> BoxStream<'static, anyhow::Result<Bytes>> {
    let (file, end) = (Arc::new(file), range.end);
    let read = move |at: u64| {
        let file = file.clone();
        async move {
            let read = move || -> std::io::Result<Bytes> {
                let mut piece = vec![0; PIECE.min(end - at) as usize];
                file.read_exact_at(&mut piece, at)?;
                Ok(piece.into())
            };
            Ok(tokio::task::spawn_blocking(read).await??)
        }
    };
    stream::iter(range.step_by(PIECE as usize)).map(read).buffered(PIECES).boxed()
}

/// A name that no object has.
fn fresh(portal: PortalId) -> String {
    let name = uuid::Uuid::new_v4().simple().to_string();
    format!("{portal}/{}/{name}", &name[..2])
}

#[expect(clippy::disallowed_methods, reason = "the age of an object is told by the machine that keeps it")]
fn machine_now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn any_part_of_a_file_comes_as_it_was_written() {
        let home = antiphon_testkit::Home::new();
        let kept = Kept::open(&crate::testing::config(&home)).unwrap();
        let all: Vec<u8> = (0..3 * PIECE + 17).map(|at| (at % 251) as u8).collect();
        let mut writing = kept.write(PortalId(1));
        writing.push(all.clone().into()).await.unwrap();
        let object = writing.finish().await.unwrap().object;
        let end = all.len() as u64;
        for range in [0..end, 0..1, PIECE - 1..PIECE + 1, PIECE..3 * PIECE, 5..2 * PIECE + 5, end - 1..end] {
            let read = kept.read(&object, Some(range.clone())).await.unwrap().unwrap();
            let read: Vec<Bytes> = read.try_collect().await.unwrap();
            assert!(read.concat() == all[range.start as usize..range.end as usize], "{range:?}");
        }
        let whole: Vec<Bytes> = kept.read(&object, None).await.unwrap().unwrap().try_collect().await.unwrap();
        assert!(whole.concat() == all);
        kept.erase(&object).await.unwrap();
        assert!(kept.read(&object, None).await.unwrap().is_none());
    }
}
