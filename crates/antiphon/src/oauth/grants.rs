//! What becomes of grants: they are made, taken up once, and end. The rules.

use antiphon_store::{
    AppId, Code, Directory, DirectoryChange, Grant, Install, Millis, Moment, PortalId, TokenHash,
};

use super::fields::refused;
use crate::refusal::Refusal;

/// A grant that nobody has taken up yet.
pub fn made(
    app: AppId,
    user_id: Option<i64>,
    scopes: Vec<String>,
    code: Option<Code>,
    moment: &mut Moment,
) -> Grant {
    Grant {
        id: moment.subscription_id().0,
        app_id: app,
        user_id,
        scopes,
        created_at: moment.now,
        code,
        refresh: None,
        refresh_ended_at: None,
        ended_at: None,
        uninstalled_at: None,
        deleted_at: None,
    }
}

/// What whoever takes up a code has to bring.
#[derive(Debug, Clone)]
pub struct Taking {
    pub app: AppId,
    /// The portal that the app belongs to.
    pub home: PortalId,
    pub code: TokenHash,
    pub redirect_uri: String,
    pub verifier: Option<String>,
    /// Whether the app's secret came along.
    pub proved: bool,
    /// Of the refresh token that it gets.
    pub refresh: TokenHash,
}

/// The rule. A code is taken up once: whoever comes a second time ends what the first got.
pub fn taken_up(
    directory: &Directory,
    taking: &Taking,
    now: Millis,
) -> Result<Vec<DirectoryChange>, Refusal> {
    let bad = |message: &str| refused("BAD_AUTH_CODE", "invalid_grant", message);
    let grant = directory.grant_of(&taking.code).filter(|grant| grant.app_id == taking.app);
    let coded = grant.and_then(|grant| Some((grant, grant.code.as_ref()?)));
    let Some((grant, code)) = coded.filter(|(_, code)| code.hash == taking.code) else {
        return Err(bad("missing or unknown auth code"));
    };
    if code.redirect_uri != taking.redirect_uri {
        let message = "redirect_uri is not the one that the code was asked for with";
        return Err(refused("MISMATCH_REDIRECT_URI_AUTH_CODE", "invalid_grant", message));
    }
    match (&code.challenge, &taking.verifier) {
        (Some(challenge), Some(verifier)) if proves(challenge, verifier) => {}
        (None, None) if taking.proved => {}
        (None, None) => return Err(super::fields::bad_request("missing client_secret")),
        (None, Some(_)) => return Err(bad("code_verifier was sent, and no challenge was before")),
        (Some(_), _) => return Err(bad("code_verifier is missing, or does not fit the challenge")),
    }
    if code.used_at.is_some() {
        let ended = Grant { ended_at: Some(now), refresh_ended_at: Some(now), ..grant.clone() };
        return Ok(match grant.ended_at {
            Some(_) => Vec::new(),
            None => vec![DirectoryChange::Grant(ended)],
        });
    }
    if code.expires_at <= now {
        return Err(bad("the auth code has expired"));
    }
    let code = Some(Code { used_at: Some(now), ..code.clone() });
    let taken = Grant { code, refresh: Some(taking.refresh), ..grant.clone() };
    let install = installed(directory, taking.home, &taken, now);
    Ok(vec![DirectoryChange::Grant(taken), DirectoryChange::Install(install)])
}

/// An app as it is installed once a grant is taken up: since when it has been, and with what was granted last.
pub fn installed(directory: &Directory, home: PortalId, grant: &Grant, now: Millis) -> Install {
    let known = directory.install(grant.app_id).filter(|known| known.uninstalled_at.is_none());
    Install {
        app_id: grant.app_id,
        home,
        scopes: grant.scopes.clone(),
        installed_at: known.map_or(now, |known| known.installed_at),
        uninstalled_at: None,
    }
}

/// Whether a verifier is what a challenge was made of.
fn proves(challenge: &str, verifier: &str) -> bool {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let made = match challenge.split_once(':') {
        Some(("S256", _)) => {
            let digest = Sha256::digest(verifier.as_bytes());
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
        }
        _ => verifier.to_owned(),
    };
    let sent = challenge.split_once(':').map_or("", |(_, sent)| sent);
    crate::apps::secrets::same(sent, &made)
}

/// Grants that are uninstalled in one change. Whoever uninstalls an app goes on until none is left.
const AT_ONCE: usize = 400;

/// Grants of an app that are still some, and the app, as they are once the app is uninstalled.
pub fn uninstalled(directory: &Directory, app: AppId, now: Millis) -> Vec<DirectoryChange> {
    let living = directory.users_grants(app).filter(|grant| grant.uninstalled_at.is_none());
    let gone = living.take(AT_ONCE).map(|grant| Grant {
        uninstalled_at: Some(now),
        refresh_ended_at: grant.refresh_ended_at.or(Some(now)),
        ..Grant::clone(grant)
    });
    let install = directory.install(app).filter(|known| known.uninstalled_at.is_none());
    let install = install.map(|known| Install { uninstalled_at: Some(now), ..known.clone() });
    gone.map(DirectoryChange::Grant).chain(install.map(DirectoryChange::Install)).collect()
}

/// Whether anything can still be got with a grant.
pub fn lives(grant: &Grant) -> bool {
    grant.refresh.is_some()
        && grant.refresh_ended_at.is_none()
        && grant.ended_at.is_none()
        && grant.uninstalled_at.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    const APP: AppId = AppId(4410);

    fn directory(challenge: Option<&str>) -> Directory {
        let mut directory = Directory::clone(&testing::state().directory);
        let code = Code {
            hash: TokenHash([1; 32]),
            redirect_uri: "https://a.example/back".into(),
            challenge: challenge.map(str::to_owned),
            expires_at: NOW + 5,
            used_at: None,
        };
        let grant = made(APP, Some(7), vec!["oauth".into()], Some(code), &mut Moment::still(NOW));
        directory.put(DirectoryChange::Grant(grant));
        directory
    }

    fn taking() -> Taking {
        Taking {
            app: APP,
            home: PortalId(1),
            code: TokenHash([1; 32]),
            redirect_uri: "https://a.example/back".into(),
            verifier: None,
            proved: true,
            refresh: TokenHash([2; 32]),
        }
    }

    fn word(done: Result<Vec<DirectoryChange>, Refusal>) -> &'static str {
        match done {
            Err(Refusal::Token(refused)) => refused.status,
            Err(other) => panic!("{other:?}"),
            Ok(_) => "",
        }
    }

    #[test]
    fn a_code_is_taken_up_by_whom_it_was_given_to_in_time() {
        let challenge = "S256:E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let verifier = Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        for (challenge, taking, now, expected) in [
            (None, taking(), NOW, ""),
            (None, Taking { app: AppId(7), ..taking() }, NOW, "BAD_AUTH_CODE"),
            (None, Taking { code: TokenHash([9; 32]), ..taking() }, NOW, "BAD_AUTH_CODE"),
            (None, taking(), NOW + 5, "BAD_AUTH_CODE"),
            (
                None,
                Taking { redirect_uri: "https://a.example/back/".into(), ..taking() },
                NOW,
                "MISMATCH_REDIRECT_URI_AUTH_CODE",
            ),
            (None, Taking { proved: false, ..taking() }, NOW, "BAD_REQUEST"),
            (None, Taking { verifier: verifier.clone(), ..taking() }, NOW, "BAD_AUTH_CODE"),
            (Some(challenge), taking(), NOW, "BAD_AUTH_CODE"),
            (Some(challenge), Taking { verifier: Some("x".into()), ..taking() }, NOW, "BAD_AUTH_CODE"),
            (Some(challenge), Taking { verifier: verifier.clone(), proved: false, ..taking() }, NOW, ""),
            (Some("plain:abc"), Taking { verifier: Some("abc".into()), ..taking() }, NOW, ""),
            (Some("plain:abc"), Taking { verifier: Some("abcd".into()), ..taking() }, NOW, "BAD_AUTH_CODE"),
        ] {
            assert_eq!(word(taken_up(&directory(challenge), &taking, now)), expected, "{taking:?}");
        }
    }

    #[test]
    fn whoever_comes_a_second_time_ends_what_the_first_got() {
        let mut directory = directory(None);
        for change in taken_up(&directory, &taking(), NOW).unwrap() {
            directory.put(change);
        }
        let grant = |directory: &Directory| directory.grant_of(&TokenHash([2; 32])).cloned();
        assert!(lives(&grant(&directory).unwrap()));
        assert_eq!(directory.install(APP).map(|one| one.installed_at), Some(NOW));
        let again = Taking { refresh: TokenHash([3; 32]), ..taking() };
        for change in taken_up(&directory, &again, NOW + 1).unwrap() {
            directory.put(change);
        }
        assert!(!lives(&grant(&directory).unwrap()));
        assert_eq!(grant(&directory).unwrap().ended_at, Some(NOW + 1));
        assert_eq!(directory.grant_of(&TokenHash([3; 32])), None);
        assert!(taken_up(&directory, &again, NOW + 2).unwrap().is_empty());

        let gone = uninstalled(&directory, APP, NOW + 3);
        assert_eq!(gone.len(), 2);
        gone.into_iter().for_each(|change| directory.put(change));
        assert_eq!(directory.install(APP).and_then(|one| one.uninstalled_at), Some(NOW + 3));
        assert!(uninstalled(&directory, APP, NOW + 4).is_empty());
    }
}
