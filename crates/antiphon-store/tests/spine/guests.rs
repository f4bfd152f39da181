//! What becomes of an app at home is so in the portals that have let it in, on every node.

use antiphon_store::*;

use crate::kit::Bed;

const APP: AppId = AppId(77);
const HOME: PortalId = PortalId(1);
const HERE: PortalId = PortalId(2);

async fn write(store: &Store, portal: PortalId, change: DirectoryChange) {
    let rule = move |_: &State, _: &mut Moment| {
        let directory = vec![change.clone()];
        Ok::<_, std::convert::Infallible>(Changes { directory, ..Changes::default() })
    };
    let Ok(_) = store.change(portal, Target::Directory, rule).await.unwrap();
}

fn app(secret: usize, active: bool) -> DirectoryChange {
    DirectoryChange::App(App {
        id: APP,
        name: "Bridge".into(),
        avatar: None,
        client_secret: secret.to_string(),
        developer_key: "key".into(),
        old_secret: None,
        old_key: None,
        user_id: None,
        active,
        created_at: 1,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_of_an_app_at_home_is_so_everywhere_at_once() {
    let bed = Bed::new().await;
    let nodes = [bed.node(), bed.node()];
    write(&nodes[0], HOME, app(0, true)).await;
    let install =
        Install { app_id: APP, home: HOME, scopes: Vec::new(), installed_at: 1, uninstalled_at: None };
    write(&nodes[1], HERE, DirectoryChange::Install(install)).await;
    for round in 1..=100 {
        let (one, other) = (&nodes[round % 2], &nodes[1 - round % 2]);
        write(one, HOME, app(round, round % 3 > 0)).await;
        let seen = other.directory(HERE).await.unwrap().unwrap();
        let known = seen.app(APP).unwrap();
        assert_eq!((&*known.client_secret, known.active), (&*round.to_string(), round % 3 > 0));
        // Rules see what was asked before them, or newer.
        let rule = move |state: &State, _: &mut Moment| {
            let known = state.directory.app(APP).unwrap();
            assert_eq!((&*known.client_secret, known.active), (&*round.to_string(), round % 3 > 0));
            Ok::<_, std::convert::Infallible>(Changes::default())
        };
        let Ok(_) = other.change(HERE, Target::Directory, rule).await.unwrap();
    }
    for node in nodes {
        node.close().await;
    }
}
