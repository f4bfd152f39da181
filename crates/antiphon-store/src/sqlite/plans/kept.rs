//! Lists of files and folders: none costs more with more of them.

use super::*;

/// Files in 50 folders and as many folders in one of those, all as young as they are large.
fn kept(files: i64) -> (tempfile::TempDir, Connection) {
    let dir = tempfile::tempdir().unwrap();
    let conn = schema::open(&dir.path().join("plans.db"), false).unwrap();
    let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)";
    let sql = "INSERT INTO files (portal_id, id, name, media_type, size, url, created_at, revision, extension, access, listed, \
               folder_id, blob, updated_at, width, height, expires_at, name_key) SELECT 1, n, n || '.txt', 'text/plain', n, '', \
               n, 1, 'txt', 3, 1, 1 + n % 50, zeroblob(32), n, n, n, n + 1000000000, n || '.txt' FROM n";
    conn.execute(&format!("{numbers} {sql}"), [files]).unwrap();
    let sql = "INSERT INTO folders SELECT 1, n, iif(n <= 50, 0, 7), printf('%06d', n), n, n, NULL, printf('%06d', n) FROM n";
    conn.execute(&format!("{numbers} {sql}"), [files]).unwrap();
    (dir, conn)
}

/// Every order with every condition, from the beginning and from the middle; and whether an index serves it.
fn every_list(files: bool) -> Vec<(FileList, bool)> {
    use FileCondition as C;
    use FileField as F;
    let mut orders = vec![(FileSort::Id, F::Id), (FileSort::Name, F::Name)];
    orders.extend([(FileSort::CreatedAt, F::CreatedAt), (FileSort::UpdatedAt, F::UpdatedAt)]);
    let mut conditions = vec![
        C::OneOf(F::Id, vec![5, 600]),
        C::OneOf(F::Id, Vec::new()),
        C::OneOf(F::Folder, vec![1_000_000_007]),
        C::Named("nobody".into()),
        C::Within(1_000_000_007),
    ];
    for field in [F::Id, F::CreatedAt, F::UpdatedAt] {
        conditions.extend([C::AtLeast(field, 1_000_000_007), C::AtMost(field, -1)]);
    }
    if files {
        let sizes = [(FileSort::Size, F::Size), (FileSort::Width, F::Width), (FileSort::Height, F::Height)];
        orders.extend([(FileSort::ExpiresAt, F::ExpiresAt)].into_iter().chain(sizes));
        for (_, field) in &orders[4..] {
            conditions.extend([C::AtLeast(*field, i64::MAX), C::AtMost(*field, -1)]);
        }
        for field in [F::Extension, F::Encoding, F::Md5, F::Url] {
            conditions.push(C::Text(field, "none".into()));
        }
        conditions.push(C::StartsWith(F::MediaType, vec!["image/".into()]));
        conditions.push(C::StartsElse(F::MediaType, vec!["text/".into()]));
        conditions.push(C::Flag(F::Usable, true));
        conditions.push(C::OneOf(F::Access, vec![1, 2]));
        conditions.push(C::NoneOf(F::Access, vec![3]));
    }
    let mut all = Vec::new();
    for (sort, by) in orders {
        for descending in [false, true] {
            for middle in [None, Some(500)] {
                let after = middle.map(|n| FileSpot { number: n, name: format!("{n}.txt"), id: n });
                let list = FileList { sort, descending, after, limit: 20, ..FileList::default() };
                all.push((list.clone(), true));
                for condition in &conditions {
                    let served = match condition {
                        C::OneOf(F::Id, _) => true,
                        C::AtLeast(field, _) | C::AtMost(field, _) => *field == by,
                        _ => false,
                    };
                    // What looks at so much does so whatever the way, and in any other order as in these.
                    let looked_through = [FileSort::Id, FileSort::Size].contains(&sort);
                    if served || looked_through && !descending && list.after.is_none() {
                        all.push((FileList { conditions: vec![condition.clone()], ..list.clone() }, served));
                    }
                }
            }
        }
    }
    all
}

#[test]
fn no_list_of_files_or_folders_costs_more_with_more_of_them() {
    let ((_small_dir, mut small), (_large_dir, mut large)) = (kept(1_000), kept(100_000));
    for of_files in [true, false] {
        for (list, served) in every_list(of_files) {
            let ask = |conn: &Connection| match of_files {
                true => drop(files::page::<File>(conn, PORTAL, &list).unwrap()),
                false => drop(files::page::<Folder>(conn, PORTAL, &list).unwrap()),
            };
            let named = matches!(list.conditions.first(), Some(FileCondition::OneOf(FileField::Id, _)));
            planned(&mut large, named, ask);
            let many = counted(&mut large, ask);
            if !served {
                assert!(many < 4_000_000, "{list:?} looks at too much: {many}");
                continue;
            }
            let few = counted(&mut small, ask);
            assert!(many * 10 <= few * 12 + 500, "{list:?} took {few} steps of 1,000 and {many} of 100,000");
        }
    }
    for descending in [false, true] {
        let list = FileList { sort: FileSort::Path, descending, limit: 20, ..FileList::default() };
        for after in [None, Some(("000600".to_owned(), 600))] {
            for before in [None, Some(if descending { "000100/" } else { "000900/" }.to_owned())] {
                let next = Run { folder: 7, after: after.clone(), before, limit: 20 };
                for ask in [
                    &|conn: &Connection| drop(files::run::<File>(conn, PORTAL, &list, &next).unwrap()),
                    &|conn: &Connection| drop(files::run::<Folder>(conn, PORTAL, &list, &next).unwrap()),
                    &|conn: &Connection| drop(files::branch(conn, PORTAL, &list, &next).unwrap()),
                ] as [&dyn Fn(&Connection); 3]
                {
                    planned(&mut large, false, ask);
                    let (few, many) = (counted(&mut small, ask), counted(&mut large, ask));
                    assert!(
                        many * 10 <= few * 12 + 500,
                        "{next:?} took {few} steps of 1,000 and {many} of 100,000"
                    );
                }
            }
        }
    }
}
