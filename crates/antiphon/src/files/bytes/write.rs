//! An object being written: in parts, hashed on the way, there for readers at its end or not at all.

use std::sync::Arc;

use antiphon_store::Sha;
use bytes::Bytes;
use md5::Md5;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Bytes that are hashed at once.
const BITE: usize = 1 << 20;

/// Bytes of the beginning that are kept, to see what it is.
const HEAD: usize = 256 << 10;

/// Parts under way.
const PARTS: usize = 2;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub object: String,
    pub size: i64,
    pub sha: Sha,
    /// In hexadecimal digits.
    pub md5: String,
    /// Its beginning.
    pub head: Vec<u8>,
}

#[derive(Default)]
struct Hashes {
    sha: Sha256,
    md5: Md5,
}

impl Hashes {
    fn eat(mut self, bite: &[Bytes]) -> Self {
        for bytes in bite {
            self.sha.update(bytes);
            self.md5.update(bytes);
        }
        self
    }
}

/// An object being written. Dropped, it never was; what is left of it is swept away.
pub struct Writing {
    objects: Arc<dyn ObjectStore>,
    busy: Arc<Semaphore>,
    part: usize,
    name: String,
    size: u64,
    head: Vec<u8>,
    /// Not handed to the hashes yet.
    bite: Vec<Bytes>,
    bitten: usize,
    hashes: Option<Hashes>,
    hashing: Option<JoinHandle<Hashes>>,
    /// What fits one part is written in one go at the end.
    first: Vec<Bytes>,
    parts: Option<WriteMultipart>,
}

impl Writing {
    pub(super) fn new(
        objects: Arc<dyn ObjectStore>,
        busy: Arc<Semaphore>,
        part: usize,
        name: String,
    ) -> Self {
        Self {
            objects,
            busy,
            part,
            name,
            size: 0,
            head: Vec::new(),
            bite: Vec::new(),
            bitten: 0,
            hashes: Some(Hashes::default()),
            hashing: None,
            first: Vec::new(),
            parts: None,
        }
    }

    /// How much was written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Writes on. Waits while the hashes or the place are behind.
    ///
    /// # Errors
    /// When the place does not take it.
    pub async fn push(&mut self, bytes: Bytes) -> anyhow::Result<()> {
        self.size += bytes.len() as u64;
        let wanted = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..wanted]);
        self.bitten += bytes.len();
        self.bite.push(bytes.clone());
        if self.bitten >= BITE {
            self.hash().await?;
        }
        match &mut self.parts {
            Some(parts) => {
                parts.wait_for_capacity(PARTS).await?;
                parts.put(bytes);
            }
            None => {
                self.first.push(bytes);
                if self.size > self.part as u64 {
                    let upload = self.objects.put_multipart(&Path::from(self.name.as_str())).await?;
                    let mut parts = WriteMultipart::new_with_chunk_size(upload, self.part);
                    self.first.drain(..).for_each(|bytes| parts.put(bytes));
                    self.parts = Some(parts);
                }
            }
        }
        Ok(())
    }

    /// Has the hashes take what came since, once they are done with what came before.
    async fn hash(&mut self) -> anyhow::Result<()> {
        let hashes = match self.hashing.take() {
            Some(hashing) => hashing.await?,
            None => self.hashes.take().unwrap_or_default(),
        };
        let (bite, place) = (std::mem::take(&mut self.bite), self.busy.clone().acquire_owned().await?);
        self.bitten = 0;
        self.hashing = Some(tokio::task::spawn_blocking(move || {
            let _place = place;
            hashes.eat(&bite)
        }));
        Ok(())
    }

    /// Ends it. When this comes back, it is there, and stays there whatever happens to the machine.
    ///
    /// # Errors
    /// When the place does not take it.
    pub async fn finish(mut self) -> anyhow::Result<Written> {
        self.hash().await?;
        match self.parts.take() {
            Some(parts) => drop(parts.finish().await?),
            None => {
                let payload: PutPayload = self.first.drain(..).collect();
                self.objects.put(&Path::from(self.name.as_str()), payload).await?;
            }
        }
        let hashes = match self.hashing.take() {
            Some(hashing) => hashing.await?,
            None => Hashes::default(),
        };
        let md5 = hashes.md5.finalize();
        Ok(Written {
            object: self.name,
            size: i64::try_from(self.size)?,
            sha: hashes.sha.finalize().into(),
            md5: md5.iter().map(|byte| format!("{byte:02x}")).collect(),
            head: self.head,
        })
    }

    /// Gives it up.
    pub async fn abort(mut self) {
        if let Some(parts) = self.parts.take()
            && let Err(error) = parts.abort().await
        {
            tracing::debug!(%error, "an upload that was given up is left to the sweep");
        }
    }
}
