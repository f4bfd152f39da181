//! Files, folders, their bytes and what is done with them.

use super::{Engine, Store};
use crate::*;

impl Store {
    /// Those of these files that exist, in any order.
    pub async fn files_by_ids(&self, portal: PortalId, ids: &[i64]) -> Result<Vec<File>, StoreError> {
        read!(self.files_by_ids(portal, ids))
    }

    /// The file whose bytes are at this URL.
    pub async fn file_by_url(&self, portal: PortalId, url: &str) -> Result<Option<File>, StoreError> {
        read!(self.file_by_url(portal, url))
    }

    /// What there is of what a key names, as a rule would see it.
    pub async fn file_state(&self, portal: PortalId, key: &FileKey) -> Result<FileState, StoreError> {
        read!(self.file_state(portal, key))
    }

    /// A folder with those it is in, the outermost first; nothing when one of them is not there.
    pub async fn folder_chain(&self, portal: PortalId, id: i64) -> Result<Vec<Folder>, StoreError> {
        read!(self.folder_chain(portal, id))
    }

    /// Folders in these, in any order.
    pub async fn folders_in(
        &self,
        portal: PortalId,
        parents: &[i64],
        limit: usize,
    ) -> Result<Vec<Folder>, StoreError> {
        read!(self.folders_in(portal, parents, limit))
    }

    /// Files in a folder, in any order.
    pub async fn files_in(
        &self,
        portal: PortalId,
        folder: i64,
        limit: usize,
    ) -> Result<Vec<File>, StoreError> {
        read!(self.files_in(portal, folder, limit))
    }

    /// One page of files, and where to go on if there are more, or may be: what no index serves is looked at so far and no farther.
    pub async fn files(
        &self,
        portal: PortalId,
        list: &FileList,
    ) -> Result<(Vec<File>, Option<FileSpot>), StoreError> {
        match &self.now_at().engine {
            Engine::Sqlite(engine) => engine.files(portal, list).await,
            Engine::Postgres(engine) => engine.files(portal, list).await,
        }
    }

    /// One page of folders, as of files.
    pub async fn folders(
        &self,
        portal: PortalId,
        list: &FileList,
    ) -> Result<(Vec<Folder>, Option<FileSpot>), StoreError> {
        match &self.now_at().engine {
            Engine::Sqlite(engine) => engine.folders(portal, list).await,
            Engine::Postgres(engine) => engine.folders(portal, list).await,
        }
    }

    /// Where bytes are kept.
    pub async fn blob_by_sha(&self, portal: PortalId, sha: &Sha) -> Result<Option<Blob>, StoreError> {
        read!(self.blob_by_sha(portal, sha))
    }

    /// All bytes that are kept, in the order of their hashes.
    pub async fn blobs(
        &self,
        portal: PortalId,
        after: Option<Sha>,
        limit: usize,
    ) -> Result<Vec<Blob>, StoreError> {
        read!(self.blobs(portal, after, limit))
    }

    /// Those of these objects that are some file's bytes, or were.
    pub async fn objects_known(
        &self,
        portal: PortalId,
        objects: &[String],
    ) -> Result<Vec<String>, StoreError> {
        read!(self.objects_known(portal, objects))
    }

    /// A task.
    pub async fn file_task(&self, portal: PortalId, id: &str) -> Result<Option<FileTask>, StoreError> {
        read!(self.file_task(portal, id))
    }

    /// Tasks that are not complete and that nobody is at.
    pub async fn file_tasks_due(
        &self,
        portal: PortalId,
        machine: Millis,
        limit: usize,
    ) -> Result<Vec<FileTask>, StoreError> {
        read!(self.file_tasks_due(portal, machine, limit))
    }

    /// Files whose time has come.
    pub async fn files_expired(
        &self,
        portal: PortalId,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<i64>, StoreError> {
        read!(self.files_expired(portal, now, limit))
    }

    /// Files that are erased, and that messages may still name.
    pub async fn files_erased(&self, portal: PortalId, limit: usize) -> Result<Vec<i64>, StoreError> {
        read!(self.files_erased(portal, limit))
    }

    /// Messages that name a file, behind a place among them.
    pub async fn file_mentions(
        &self,
        portal: PortalId,
        file: i64,
        after: i64,
        limit: usize,
    ) -> Result<Vec<FileMention>, StoreError> {
        read!(self.file_mentions(portal, file, after, limit))
    }

    /// Has bytes erased that have belonged to no file since a moment, or only these: nobody takes them up again.
    pub async fn blobs_doom(
        &self,
        portal: PortalId,
        before: Millis,
        only: Option<Sha>,
        limit: usize,
    ) -> Result<Vec<Blob>, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.blobs_doom(portal, before, only, limit))
    }

    /// Forgets bytes that were to be erased, and are.
    pub async fn blobs_forget(&self, portal: PortalId, objects: Vec<String>) -> Result<(), StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.blobs_forget(portal, objects))
    }

    /// Clears away what nobody needs any more; how much that was.
    pub async fn files_tidy(&self, portal: PortalId, what: FileTidy) -> Result<u64, StoreError> {
        let (house, _inside) = self.enter().await?;
        write!(house.files_tidy(portal, what))
    }
}
