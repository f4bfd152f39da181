//! Files and folders in the order of their paths. A path is made of the names on the way to it, and moving a folder changes those of
//! all that is in it, so no row has one. Instead the folders are walked through: in each, its own files and the folders in it stand
//! in the order of their names, where a folder has a slash behind its name. So much is looked at for a page and no more.

use super::lists::EXAMINED;
use super::{FileList, FileSort, FileSpot, Folder, Leaf, Run};
use crate::StoreError;

/// For how many rows a folder counts that is walked into.
const FOLDER: i64 = 20;

/// Most rows that are looked at at once. It begins with as many as fill the page.
const CHUNK: i64 = 500;

/// Where what is walked through is kept.
pub(crate) trait Ground<T> {
    /// The next rows of a folder, each with whether it is wanted.
    fn run(
        &self,
        list: &FileList,
        run: &Run,
    ) -> impl Future<Output = Result<Vec<(T, bool)>, StoreError>> + Send;

    /// The next folder in a folder, by its name with a slash behind it.
    fn branch(
        &self,
        list: &FileList,
        run: &Run,
    ) -> impl Future<Output = Result<Option<Folder>, StoreError>> + Send;

    /// A folder, archived or not, with those it is in, the outermost first.
    fn way(&self, folder: i64) -> impl Future<Output = Result<Vec<Folder>, StoreError>> + Send;
}

/// A folder that is being walked through, and behind what: a name and an id.
struct Level {
    folder: i64,
    after: Option<(String, i64)>,
}

/// One page in the order of paths, and where to go on.
pub(crate) async fn page<T: Leaf>(
    ground: &impl Ground<T>,
    list: &FileList,
) -> Result<(Vec<T>, Option<FileSpot>), StoreError> {
    let mut levels = begin(ground, list).await?;
    let (mut found, mut left) = (Vec::new(), EXAMINED);
    while let Some(level) = levels.last_mut() {
        let mut run = Run { folder: level.folder, after: level.after.clone(), before: None, limit: 0 };
        let branch = ground.branch(list, &run).await?;
        let branch = branch.map(|folder| (folder.id, format!("{}/", folder.name)));
        run.before = branch.as_ref().map(|(_, key)| key.clone());
        let mut chunk = (list.limit + 1 - found.len()) as i64;
        loop {
            run.limit = chunk.min(left);
            chunk = (chunk * 2).min(CHUNK);
            let rows = ground.run(list, &run).await?;
            let looked_at = rows.len() as i64;
            left -= looked_at;
            for (row, wanted) in rows {
                let spot = row.spot(FileSort::Path);
                run.after = Some((spot.name.clone(), spot.id));
                if wanted {
                    found.push(row);
                    if found.len() > list.limit {
                        let end = list.cut(&mut found);
                        return Ok((found, end));
                    }
                }
            }
            let place = || {
                let (name, id) = run.after.clone().unwrap_or_default();
                FileSpot { number: run.folder, name, id }
            };
            if left <= 0 {
                return Ok((found, Some(place())));
            }
            if looked_at < run.limit {
                break;
            }
        }
        let Some((folder, key)) = branch else {
            levels.pop();
            continue;
        };
        level.after = Some((key, 0));
        levels.push(Level { folder, after: None });
        left -= FOLDER;
        if left <= 0 {
            return Ok((found, Some(FileSpot { number: folder, ..FileSpot::default() })));
        }
    }
    Ok((found, None))
}

/// The folders on the way to where the last page ended, each behind what was walked through there. What was moved since is walked
/// on from where it is now, and what was deleted from where it was.
async fn begin<T: Leaf>(ground: &impl Ground<T>, list: &FileList) -> Result<Vec<Level>, StoreError> {
    let top = list.top::<T>();
    let Some(spot) = &list.after else { return Ok(vec![Level { folder: top, after: None }]) };
    let way = ground.way(spot.number).await?;
    let own = Some((spot.name.clone(), spot.id)).filter(|(name, _)| !name.is_empty());
    let mut levels: Vec<Level> = way
        .iter()
        .map(|folder| Level { folder: folder.parent, after: Some((format!("{}/", folder.name), 0)) })
        .collect();
    levels.push(Level { folder: spot.number, after: own });
    match levels.iter().position(|level| level.folder == top) {
        Some(at) => Ok(levels.split_off(at)),
        None => Ok(Vec::new()),
    }
}
