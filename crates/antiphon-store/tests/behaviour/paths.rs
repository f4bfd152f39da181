//! Lists in the order of paths, and of what is below a path: whatever is in them and however they are cut into pages, they are
//! what sorting all paths comes to.

use std::collections::HashMap;

use antiphon_store::*;

use crate::kit::*;

const PORTAL: PortalId = PortalId(1);

const NAMES: [&str; 12] = ["a", "a-b", "a.txt", "a0", "ab", "B", "Ä", "z", "é", "~", "a b", "\u{10ffff}"];

async fn change(store: &Store, changes: Changes) {
    let rule = move |_: &State, _: &mut Moment| Ok::<_, No>(changes.clone());
    store.change(PORTAL, Target::File(Box::default()), rule).await.unwrap().unwrap();
}

/// Folders and files at random.
struct Wood {
    folders: Vec<Folder>,
    files: Vec<File>,
}

impl Wood {
    async fn grown(store: &Store, dice: &mut fastrand::Rng, folders: i64, files: i64) -> Self {
        let (mut wood, mut taken) = (Self { folders: Vec::new(), files: Vec::new() }, Vec::new());
        let mut name = |dice: &mut fastrand::Rng, place: i64, kind: char| loop {
            let name = format!("{}{}", dice.choice(NAMES).unwrap(), dice.choice(["", "", "1", "x"]).unwrap());
            if !taken.contains(&(place, kind, name.clone())) {
                taken.push((place, kind, name.clone()));
                return name;
            }
        };
        for id in 1..=folders {
            let parent = dice.i64(0..id.min(12));
            let name = name(dice, parent, 'd');
            wood.folders.push(Folder {
                id,
                parent,
                name,
                created_at: NOON,
                updated_at: NOON,
                archived_at: None,
            });
        }
        for id in 1000..1000 + files {
            let folder = dice.i64(0..=folders);
            let name = name(dice, folder, 'f');
            wood.files.push(File {
                id,
                name,
                size: Some(dice.i64(0..9)),
                folder,
                access: if dice.u8(0..8) == 0 { Access::HiddenPrivate } else { Access::Private },
                blob: Some([7; 32]),
                created_at: NOON,
                ..File::default()
            });
        }
        let changes =
            Changes { folders: wood.folders.clone(), files: wood.files.clone(), ..Changes::default() };
        change(store, changes).await;
        wood
    }

    fn path(&self, folder: i64) -> String {
        match self.folders.iter().find(|one| one.id == folder) {
            Some(folder) => format!("{}/{}", self.path(folder.parent), folder.name),
            None => String::new(),
        }
    }

    /// Paths with ids of what is listed below a path, in order.
    fn files_below(&self, path: &str, descending: bool) -> Vec<i64> {
        let listed = self.files.iter().filter(|file| file.access == Access::Private);
        let paths = listed.map(|file| (format!("{}/{}", self.path(file.folder), file.name), file.id));
        sorted(paths.filter(|(own, _)| own.starts_with(&format!("{path}/"))).collect(), descending)
    }

    fn folders_below(&self, path: &str, descending: bool) -> Vec<i64> {
        let paths = self.folders.iter().map(|folder| (self.path(folder.id), folder.id));
        let below = |own: &str| own == path || own.starts_with(&format!("{path}/"));
        sorted(paths.filter(|(own, _)| below(own)).collect(), descending)
    }
}

fn sorted(mut paths: Vec<(String, i64)>, descending: bool) -> Vec<i64> {
    paths.sort();
    if descending {
        paths.reverse();
    }
    paths.into_iter().map(|(_, id)| id).collect()
}

/// All pages of a list.
async fn all(store: &Store, list: FileList, folders: bool) -> Vec<i64> {
    let (mut list, mut found) = (FileList { now: NOON + 1, ..list }, Vec::new());
    loop {
        let (ids, next): (Vec<i64>, _) = match folders {
            true => {
                let (page, next) = store.folders(PORTAL, &list).await.unwrap();
                (page.iter().map(|one| one.id).collect(), next)
            }
            false => {
                let (page, next) = store.files(PORTAL, &list).await.unwrap();
                (page.iter().map(|one| one.id).collect(), next)
            }
        };
        assert!(ids.len() == list.limit || next.is_none(), "{ids:?} {list:?}");
        found.extend(ids);
        match next {
            Some(next) => list.after = Some(next),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_paths_is_that_of_all_paths_sorted() {
    let kit = Kit::new().await;
    let mut dice = fastrand::Rng::with_seed(11);
    let mut wood = Wood::grown(&kit.store, &mut dice, 40, 120).await;
    for round in 0..3 {
        for descending in [false, true] {
            for limit in [1, 7, 100] {
                let list = FileList { sort: FileSort::Path, descending, limit, ..FileList::default() };
                let (store, expected) = (&kit.store, wood.files_below("", descending));
                assert_eq!(all(store, list.clone(), false).await, expected, "{round} {descending} {limit}");
                assert_eq!(all(store, list.clone(), true).await, wood.folders_below("", descending));
                for folder in [1, 5, 17, 40] {
                    let path = wood.path(folder);
                    let list = FileList { conditions: vec![FileCondition::Within(folder)], ..list.clone() };
                    assert_eq!(all(store, list.clone(), false).await, wood.files_below(&path, descending));
                    assert_eq!(all(store, list.clone(), true).await, wood.folders_below(&path, descending));
                    // In every other order it is the same that is found.
                    let other = FileList { sort: FileSort::Size, ..list };
                    let mut ids = all(store, other.clone(), false).await;
                    let mut expected = wood.files_below(&path, false);
                    ids.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(ids, expected, "{path}");
                    let mut ids = all(store, FileList { sort: FileSort::Id, ..other }, true).await;
                    let mut expected = wood.folders_below(&path, false);
                    ids.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(ids, expected, "{path}");
                }
            }
        }
        // A folder with much in it gets another name and another place: all that is in it has moved with it at once.
        let moved = Folder { name: format!("moved{round}"), parent: 0, ..wood.folders[1].clone() };
        wood.folders[1] = moved.clone();
        change(&kit.store, Changes { folders: vec![moved], ..Changes::default() }).await;
    }
    let some = vec![FileCondition::AtLeast(FileField::Size, 4)];
    let list = FileList { sort: FileSort::Path, limit: 3, conditions: some, ..FileList::default() };
    let sizes: HashMap<i64, i64> = wood.files.iter().map(|file| (file.id, file.size.unwrap())).collect();
    let mut expected = wood.files_below("", false);
    expected.retain(|id| sizes[id] >= 4);
    assert_eq!(all(&kit.store, list, false).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_goes_on_where_its_folder_was_deleted() {
    let kit = Kit::new().await;
    let folder = |id, parent, name: &str| Folder { id, parent, name: name.into(), ..Folder::default() };
    let file = |id, folder, name: &str| File {
        id,
        folder,
        name: name.into(),
        access: Access::Private,
        blob: Some([7; 32]),
        ..File::default()
    };
    let folders = vec![folder(1, 0, "a"), folder(2, 1, "b"), folder(3, 0, "c")];
    let files = vec![file(11, 2, "x"), file(12, 2, "y"), file(13, 1, "z"), file(14, 3, "x")];
    change(&kit.store, Changes { folders: folders.clone(), files: files.clone(), ..Changes::default() })
        .await;
    for (descending, first, rest) in [(false, 11, vec![13, 14]), (true, 14, vec![13])] {
        let list = FileList { sort: FileSort::Path, limit: 1, descending, ..FileList::default() };
        let (page, after) = kit.store.files(PORTAL, &list).await.unwrap();
        assert_eq!(page[0].id, first);
        let gone = |at| Changes {
            folders: vec![Folder { archived_at: at, ..folders[1].clone() }],
            files: files[..2].iter().map(|file| File { archived_at: at, ..file.clone() }).collect(),
            ..Changes::default()
        };
        change(&kit.store, gone(Some(NOON))).await;
        assert_eq!(all(&kit.store, FileList { after, ..list }, false).await, rest);
        change(&kit.store, gone(None)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_folders_are_walked_through_so_far_and_no_farther() {
    let kit = Kit::new().await;
    let folder = |id: i64| Folder { id, name: format!("{id:05}"), ..Folder::default() };
    let last =
        File { id: 9_999, folder: 2_500, access: Access::Private, blob: Some([7; 32]), ..File::default() };
    for first in (1..2_500).step_by(400) {
        let folders = (first..first + 400).filter(|id| *id <= 2_500).map(folder).collect();
        change(&kit.store, Changes { folders, ..Changes::default() }).await;
    }
    let files = vec![File { name: "x".into(), ..last }];
    change(&kit.store, Changes { files, ..Changes::default() }).await;
    let mut list = FileList { sort: FileSort::Path, limit: 10, ..FileList::default() };
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let (page, next) = kit.store.files(PORTAL, &list).await.unwrap();
        found.extend(page.iter().map(|file| file.id));
        pages += 1;
        match next {
            Some(next) => list.after = Some(next),
            None => break,
        }
    }
    assert_eq!((found, pages), (vec![9_999], 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_whatever_their_case_and_script() {
    let kit = Kit::new().await;
    let file = |id, name: &str| File {
        id,
        name: name.into(),
        access: Access::Private,
        blob: Some([7; 32]),
        ..File::default()
    };
    let files =
        vec![file(1, "Straße.txt"), file(2, "ÜBERSICHT.pdf"), file(3, "ΟΔΟΣ1"), file(4, "Plan 100%_\\")];
    let folder = Folder { id: 9, name: "ÄRZTE".into(), ..Folder::default() };
    change(&kit.store, Changes { files, folders: vec![folder], ..Changes::default() }).await;
    for (text, found) in [
        ("STRASSE", &[1][..]),
        ("straße", &[1]),
        ("übersicht", &[2]),
        ("οδος", &[3]),
        ("100%_\\", &[4]),
        ("ubersicht", &[]),
        ("", &[1, 2, 3, 4]),
    ] {
        for sort in [FileSort::Id, FileSort::Path] {
            let conditions = vec![FileCondition::Named(text.into())];
            let mut ids =
                all(&kit.store, FileList { conditions, sort, limit: 9, ..FileList::default() }, false).await;
            ids.sort_unstable();
            assert_eq!(ids, found, "{text}");
        }
    }
    let conditions = vec![FileCondition::Named("ärzt".into())];
    assert_eq!(all(&kit.store, FileList { conditions, limit: 9, ..FileList::default() }, true).await, [9]);
}
