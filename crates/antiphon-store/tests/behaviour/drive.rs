//! Files whose bytes are kept: what a rule is shown of them, lists, and what is cleared away.

use antiphon_store::*;

use crate::kit::*;

/// The first that a store has.
const PORTAL: PortalId = PortalId(1);

const SHA: Sha = [7; 32];

async fn change(store: &Store, key: FileKey, changes: Changes) -> FileState {
    let rule = move |_: &State, _: &mut Moment| Ok::<_, No>(changes.clone());
    let applied = store.change(PORTAL, Target::File(Box::new(key)), rule).await.unwrap().unwrap();
    *applied.state.files.unwrap()
}

fn kept(id: i64, name: &str, folder: i64) -> File {
    File {
        id,
        name: format!("{name}.txt"),
        extension: "txt".into(),
        media_type: "text/plain".into(),
        size: Some(10 + id),
        access: Access::Private,
        folder,
        blob: Some(SHA),
        md5: Some("m".into()),
        created_at: NOON + id,
        updated_at: NOON - id,
        ..File::default()
    }
}

fn folder(id: i64, parent: i64, name: &str) -> Folder {
    Folder { id, parent, name: name.into(), created_at: NOON, updated_at: NOON, archived_at: None }
}

fn blob(tombstone_at: Option<Millis>) -> Blob {
    Blob { sha: SHA, object: "one".into(), size: 5, tombstone_at }
}

fn named(path: &[&str], stem: &str) -> FileKey {
    FileKey {
        path: Some(path.iter().map(|name| (*name).to_owned()).collect()),
        name: Some((stem.into(), "txt".into())),
        content: Some(("m".into(), 21)),
        blob: Some(SHA),
        ..FileKey::default()
    }
}

async fn filled(store: &Store) {
    let changes = Changes {
        folders: vec![folder(1, 0, "a"), folder(2, 1, "b")],
        files: vec![kept(11, "x", 2), kept(12, "x-1", 2), kept(13, "x-2", 2), kept(14, "other", 0)],
        blobs: vec![blob(None)],
        ..Changes::default()
    };
    change(store, FileKey::default(), changes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_shown_where_something_is_to_be_and_what_is_there() {
    let kit = Kit::new().await;
    let store = kit.store.clone();
    filled(&store).await;
    let state = store.file_state(PORTAL, &named(&["a", "b"], "x")).await.unwrap();
    assert!(state.placed);
    assert_eq!(state.folders.iter().map(|folder| folder.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(state.same_name.map(|file| file.id), Some(11));
    assert_eq!(state.free, 3);
    assert_eq!(state.same_content_here.map(|file| file.id), Some(11));
    assert_eq!(state.blob, Some(blob(None)));
    let state = store.file_state(PORTAL, &named(&["a", "c", "d"], "x")).await.unwrap();
    assert_eq!((state.placed, state.folders.len(), state.same_name), (false, 1, None));
    let state = store.file_state(PORTAL, &FileKey { file: Some(12), ..FileKey::default() }).await.unwrap();
    assert_eq!(state.folders.len(), 2, "it is where the file is");
    // One behind the other in a batch: the second sees what the first has done.
    let (one, other) = tokio::join!(
        change(
            &store,
            named(&["a"], "new"),
            Changes { files: vec![kept(21, "new", 1)], ..Changes::default() }
        ),
        change(&store, named(&["a"], "new"), Changes::default()),
    );
    assert!(one.same_name.is_none());
    assert!(other.same_name.is_none_or(|file| file.id == 21));
    assert_eq!(
        store.file_state(PORTAL, &named(&["a"], "new")).await.unwrap().same_name.map(|file| file.id),
        Some(21)
    );
    let made = store.change(PORTAL, Target::Directory, |_, moment| {
        assert!(moment.file_id() > 21);
        Ok::<_, No>(Changes::default())
    });
    made.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_erased_once_no_file_has_them() {
    let kit = Kit::new().await;
    let store = kit.store.clone();
    filled(&store).await;
    let ids = [11, 12, 13, 14];
    let deleted = |id: i64| File { archived_at: Some(NOON), ..kept(id, "x", 2) };
    for id in ids {
        let changes = Changes { files: vec![deleted(id)], ..Changes::default() };
        change(&store, FileKey::default(), changes).await;
    }
    assert_eq!(store.blob_by_sha(PORTAL, &SHA).await.unwrap(), Some(blob(None)), "deleted files keep theirs");
    let tidy = FileTidy {
        now: NOON + 5,
        archived_before: NOON + 1,
        erased_before: NOON,
        tasks_before: NOON,
        limit: 100,
    };
    assert_eq!(store.files_tidy(PORTAL, tidy).await.unwrap(), 4);
    assert_eq!(store.blob_by_sha(PORTAL, &SHA).await.unwrap(), Some(blob(Some(NOON + 5))));
    assert_eq!(store.blobs_doom(PORTAL, NOON + 4, None, 10).await.unwrap(), []);
    // Who uploads the same again lifts the tombstone.
    let again = Changes { files: vec![kept(30, "again", 0)], ..Changes::default() };
    change(&store, FileKey::default(), again).await;
    assert_eq!(store.blob_by_sha(PORTAL, &SHA).await.unwrap(), Some(blob(None)));
    let gone = Changes { files: vec![File { blob: None, ..kept(30, "again", 0) }], ..Changes::default() };
    change(&store, FileKey::default(), gone).await;
    let doomed = store.blobs_doom(PORTAL, i64::MAX, Some(SHA), 10).await.unwrap();
    assert_eq!(doomed, [blob(Some(Blob::DOOMED))]);
    // From now on nothing lifts it: the bytes may be gone already.
    let late = Changes { files: vec![kept(31, "late", 0)], ..Changes::default() };
    change(&store, FileKey::default(), late).await;
    assert_eq!(store.blob_by_sha(PORTAL, &SHA).await.unwrap(), Some(blob(Some(Blob::DOOMED))));
    assert_eq!(store.objects_known(PORTAL, &["one".into(), "two".into()]).await.unwrap(), ["one"]);
    store.blobs_forget(PORTAL, vec!["one".into()]).await.unwrap();
    assert_eq!(store.blob_by_sha(PORTAL, &SHA).await.unwrap(), None);
    assert_eq!(store.blobs(PORTAL, None, 10).await.unwrap(), []);
}

const EVERY_SORT: [FileSort; 9] = [
    FileSort::Id,
    FileSort::Name,
    FileSort::Path,
    FileSort::CreatedAt,
    FileSort::UpdatedAt,
    FileSort::ExpiresAt,
    FileSort::Size,
    FileSort::Width,
    FileSort::Height,
];

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_every_order_and_page_by_page() {
    let kit = Kit::new().await;
    let store = kit.store.clone();
    filled(&store).await;
    let hidden = File { access: Access::HiddenPrivate, ..kept(15, "hidden", 0) };
    let expired = File { expires_at: Some(NOON), ..kept(16, "expired", 0) };
    change(&store, FileKey::default(), Changes { files: vec![hidden, expired], ..Changes::default() }).await;
    let ids = async |list: FileList| -> Vec<i64> {
        let list = FileList { now: NOON + 1, limit: 10, ..list };
        let (page, more) = store.files(PORTAL, &list).await.unwrap();
        assert_eq!(more, None);
        page.iter().map(|file| file.id).collect()
    };
    let by = |sort| FileList { sort, ..FileList::default() };
    let when = |conditions: Vec<FileCondition>| FileList { conditions, ..FileList::default() };
    assert_eq!(ids(by(FileSort::Id)).await, [11, 12, 13, 14]);
    assert_eq!(ids(by(FileSort::Name)).await, [14, 12, 13, 11]);
    assert_eq!(ids(by(FileSort::UpdatedAt)).await, [14, 13, 12, 11]);
    for sort in [FileSort::CreatedAt, FileSort::ExpiresAt, FileSort::Size, FileSort::Width, FileSort::Height]
    {
        assert_eq!(ids(FileList { descending: true, ..by(sort) }).await, [14, 13, 12, 11], "{sort:?}");
    }
    use FileCondition as C;
    use FileField as F;
    for (condition, found) in [
        (C::OneOf(F::Id, vec![12, 14, 99]), &[12, 14][..]),
        (C::OneOf(F::Id, Vec::new()), &[]),
        (C::NoneOf(F::Folder, vec![2]), &[14]),
        (C::AtLeast(F::Size, 23), &[13, 14]),
        (C::AtMost(F::CreatedAt, NOON + 11), &[11]),
        (C::Text(F::Extension, "TXT".into()), &[11, 12, 13, 14]),
        (C::Named("X-".into()), &[12, 13]),
        (C::Named("%".into()), &[]),
        (C::Within(0), &[11, 12, 13, 14]),
        (C::Within(2), &[11, 12, 13]),
        (C::Within(99), &[]),
        (C::StartsWith(F::MediaType, vec!["image/".into(), "text/".into()]), &[11, 12, 13, 14]),
        (C::StartsElse(F::MediaType, vec!["image/".into(), "text/".into()]), &[]),
        (C::Flag(F::Usable, false), &[11, 12, 13, 14]),
    ] {
        assert_eq!(ids(when(vec![condition.clone()])).await, found, "{condition:?}");
    }
    for sort in EVERY_SORT {
        for descending in [false, true] {
            let whole = ids(FileList { sort, descending, ..FileList::default() }).await;
            assert_eq!(whole.len(), 4);
            let (mut walked, mut after) = (Vec::new(), None);
            loop {
                let list =
                    FileList { sort, descending, after, now: NOON + 1, limit: 1, conditions: Vec::new() };
                let (page, next) = store.files(PORTAL, &list).await.unwrap();
                walked.extend(page.iter().map(|file| file.id));
                after = next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(walked, whole, "{sort:?}");
        }
    }
    let list = FileList { limit: 10, sort: FileSort::Name, descending: true, ..FileList::default() };
    let (folders, _) = store.folders(PORTAL, &list).await.unwrap();
    assert_eq!(folders.iter().map(|folder| folder.id).collect::<Vec<_>>(), [2, 1]);
    let within = FileList { conditions: vec![C::OneOf(F::Folder, vec![1])], ..list };
    assert_eq!(store.folders(PORTAL, &within).await.unwrap().0[0].id, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_folders_in_one_place_have_two_names() {
    let kit = Kit::new().await;
    let store = kit.store.clone();
    filled(&store).await;
    let twice = |_: &State, _: &mut Moment| {
        Ok::<_, No>(Changes { folders: vec![folder(50, 0, "a")], ..Changes::default() })
    };
    let twice = store.change(PORTAL, Target::File(Box::default()), twice).await;
    assert!(matches!(twice, Err(StoreError::Conflict(_))), "{twice:?}");
    assert_eq!(store.folders_in(PORTAL, &[0], 10).await.unwrap().len(), 1);
}
