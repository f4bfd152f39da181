//! The second thing that somebody has: an authenticator that makes codes, each good once, and codes on paper for when it is lost.

use antiphon_store::{Actor, ActorKind, Directory, DirectoryChange, Login, PortalId, TokenHash, Totp};
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use antiphon_wire::session::{self as wire, PasswordAgain, TotpCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use subtle::ConstantTimeEq;
use totp_rs::{Builder, Secret};
use uuid::Uuid;

use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::directory;
use crate::oauth::login::{Tried, tried};
use crate::oauth::{hash, throttle::Lock};
use crate::refusal::{Refusal, SignInRefused};

/// Bytes of a secret, as RFC 4226 recommends.
const SECRET: usize = 20;

/// How many recovery codes there are.
const CODES: usize = 10;

/// Digits of a code.
const DIGITS: usize = 6;

/// What came of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// It is that of this step of time.
    Step(u64),
    Recovery(TokenHash),
    Wrong,
}

/// Checks what has to come with a right password, and uses it up.
///
/// # Errors
/// When it is missing, wrong, or sent too often.
pub async fn passed(
    call: &Call,
    directory: &Directory,
    login: &Login,
    sent: Option<&str>,
) -> Result<(), Refusal> {
    let app = &call.app;
    let Some(secret) = &login.totp else { return Ok(()) };
    let sent = sent.map(str::trim).filter(|sent| !sent.is_empty());
    let sent = sent.ok_or(Refusal::SignIn(SignInRefused::CodeNeeded))?;
    let (portal, agent) = (directory.portal.id, login.agent_id);
    let lock = Lock::code(portal, agent);
    if let Err(wait) = lock.begin(app).await? {
        return Err(Refusal::SignIn(SignInRefused::TooOften(wait)));
    }
    let good = match read(portal, login, secret, sent, app.store.now()) {
        Code::Step(step) => Lock::spent(portal, agent, step).once(app).await?,
        Code::Recovery(code) => spend(call, portal, agent, code).await?,
        Code::Wrong => false,
    };
    if !good {
        return Err(Refusal::SignIn(SignInRefused::Wrong));
    }
    lock.forget(app).await
}

/// What a code is to a login at a moment.
fn read(portal: PortalId, login: &Login, secret: &Totp, sent: &str, now: i64) -> Code {
    if sent.len() == DIGITS && sent.bytes().all(|digit| digit.is_ascii_digit()) {
        return step(secret, sent, now).map_or(Code::Wrong, Code::Step);
    }
    let sent = recovery_hash(portal, login.agent_id, sent);
    let known = login.recovery.iter().find(|known| bool::from(known.0.ct_eq(&sent.0)));
    known.map_or(Code::Wrong, |known| Code::Recovery(*known))
}

/// The step of time that a code is of: this one, or the one before or behind it.
fn step(secret: &Totp, sent: &str, now: i64) -> Option<u64> {
    let built = Builder::new().with_secret(secret.0.as_slice()).build().ok()?;
    built.check(sent, u64::try_from(now / 1000).ok()?)
}

/// A recovery code is good once. Whether it was still there.
async fn spend(call: &Call, portal: PortalId, agent: i64, code: TokenHash) -> Result<bool, Refusal> {
    let rule = move |state: &antiphon_store::State, _: &mut antiphon_store::Moment| {
        let login = state.directory.login(agent).filter(|login| login.recovery.contains(&code));
        let left = login.map(|login| {
            let recovery = login.recovery.iter().copied().filter(|one| *one != code).collect();
            DirectoryChange::Login(Login { recovery, ..login.clone() })
        });
        Ok(left.into_iter().collect())
    };
    let by = Doer { actor: format!("A-{agent}"), action: "session.recovery", ..Doer::of(call) };
    Ok(!directory::change_of(&call.app.store, portal, Some(by), rule).await??.is_empty())
}

/// What is kept of a recovery code, however it is written.
fn recovery_hash(portal: PortalId, agent: i64, code: &str) -> TokenHash {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    hash(&format!("recovery {portal} {agent} {}", plain.to_ascii_uppercase()))
}

/// The agent who asks, with how they sign in.
fn own(call: &Call) -> Result<(Actor, Login), Refusal> {
    let signed_in = call.caller.signed_in()?;
    let directory = &call.caller.directory;
    let agent = directory.actor(ActorKind::Agent, signed_in.agent).ok_or(Refusal::SignedOut)?;
    let login = directory.login(signed_in.agent).ok_or(Refusal::SignedOut)?;
    Ok((agent.clone(), login.clone()))
}

/// Changes the login of an agent.
async fn change(
    call: &Call,
    agent: i64,
    mut with: impl FnMut(&Login) -> Result<Login, Refusal> + Send + 'static,
) -> Result<(), Refusal> {
    directory::change(call, move |state, _| {
        let login = state.directory.login(agent).ok_or_else(|| Refusal::not_found(agent))?;
        Ok(vec![DirectoryChange::Login(with(login)?)])
    })
    .await
    .map(drop)
}

/// `POST /session/totp`
pub async fn ask(call: Call) -> Result<Answer, Refusal> {
    let (agent, login) = own(&call)?;
    if login.totp.is_some() {
        return Err(Refusal::Conflict("An authenticator is asked for already; end that first".into()));
    }
    let bytes = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let secret = Totp(bytes.into_iter().take(SECRET).collect());
    let asked = secret.clone();
    change(&call, agent.id, move |login| Ok(Login { totp_asked: Some(asked.clone()), ..login.clone() }))
        .await?;
    let text = Secret::from(secret.0).to_base32();
    let email = agent.email.unwrap_or_else(|| format!("A-{}", agent.id));
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let uri = format!("otpauth://totp/Antiphon:{}?secret={text}&issuer=Antiphon", escaped(&email));
    Answer::json(201, &wire::TotpAsked { secret: text, uri })
}

/// `PUT /session/totp`
pub async fn enable(call: Call) -> Result<Answer, Refusal> {
    let (agent, login) = own(&call)?;
    let sent: TotpCode = call.json()?;
    let asked = login.totp_asked.ok_or_else(|| Refusal::invalid("code", "Ask for a secret first"))?;
    let (portal, app) = (call.caller.portal(), &call.app);
    let lock = Lock::code(portal, agent.id);
    if let Err(wait) = lock.begin(app).await? {
        return Err(Refusal::SignIn(SignInRefused::TooOften(wait)));
    }
    let code = sent.code.unwrap_or_default();
    let step = step(&asked, code.trim(), app.store.now());
    let step = step
        .ok_or_else(|| Refusal::invalid("code", "This is not the code that the authenticator shows now"))?;
    lock.forget(app).await?;
    if !Lock::spent(portal, agent.id, step).once(app).await? {
        return Err(Refusal::invalid("code", "This code was used already; wait for the next one"));
    }
    let codes: Vec<String> = (0..CODES).map(|_| recovery_code()).collect();
    let recovery: Vec<_> = codes.iter().map(|code| recovery_hash(portal, agent.id, code)).collect();
    change(&call, agent.id, move |login| {
        if login.totp_asked.as_ref() != Some(&asked) {
            return Err(Refusal::invalid("code", "Another secret was asked for meanwhile"));
        }
        Ok(Login { totp: Some(asked.clone()), totp_asked: None, recovery: recovery.clone(), ..login.clone() })
    })
    .await?;
    Answer::json(200, &wire::RecoveryCodes { recovery_codes: codes })
}

/// Sixteen characters in groups of four: eighty bits of chance.
fn recovery_code() -> String {
    let bytes = Uuid::new_v4().into_bytes();
    let chance = Uuid::new_v4().into_bytes();
    // A UUID has a few bits that are no chance; two of them have none in common places.
    let mixed: Vec<u8> =
        bytes.iter().zip(chance.iter().rev()).map(|(one, other)| one ^ other).take(10).collect();
    let text = Secret::from(mixed).to_base32();
    let groups: Vec<&str> = [0, 4, 8, 12].iter().filter_map(|at| text.get(*at..at + 4)).collect();
    groups.join("-")
}

/// `DELETE /session/totp`
pub async fn disable(call: Call) -> Result<Answer, Refusal> {
    let (agent, _) = own(&call)?;
    let sent: PasswordAgain = call.json()?;
    again(&call, &agent, &sent.password.unwrap_or_default()).await?;
    change(&call, agent.id, |login| Ok(without(login))).await?;
    Ok(Answer::none())
}

/// `DELETE /agents/{agentId}/totp`
pub async fn reset(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    change(&call, id, |login| Ok(without(login))).await?;
    Ok(Answer::none())
}

fn without(login: &Login) -> Login {
    Login { totp: None, totp_asked: None, recovery: Vec::new(), ..login.clone() }
}

/// Has an agent who is signed in prove that it is them who asks.
///
/// # Errors
/// When the password is wrong, or was sent too often.
pub async fn again(call: &Call, agent: &Actor, password: &str) -> Result<(), Refusal> {
    let email = agent.email.clone().unwrap_or_default();
    match tried(&call.app, &call.caller.directory, (&email, password), None).await? {
        Tried::In(known) if known.0.id == agent.id => Ok(()),
        Tried::TooOften(wait) => Err(Refusal::SignIn(SignInRefused::TooOften(wait))),
        _ => Err(Refusal::invalid("password", "The password is wrong")),
    }
}

#[cfg(test)]
mod tests {
    use antiphon_store::Role;

    use super::*;

    /// The secret and codes of RFC 6238, of six digits.
    #[test]
    fn codes_are_those_of_the_standard_for_a_step_before_and_behind() {
        let secret = Totp(b"12345678901234567890".to_vec());
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            let at = |offset: i64| step(&secret, code, (seconds + offset) * 1000);
            let own = u64::try_from(seconds / 30).unwrap();
            assert_eq!((at(0), at(-30), at(30)), (Some(own), Some(own), Some(own)), "{seconds}");
            assert_eq!((at(-90), at(90)), (None, None), "{seconds}");
        }
        for wrong in ["", "000000", "28708", "2870820", "28708x"] {
            assert_eq!(step(&secret, wrong, 59_000), None, "{wrong}");
        }
        assert_eq!(step(&Totp(Vec::new()), "287082", 59_000), None, "a secret that does not open");
    }

    #[test]
    fn a_recovery_code_is_known_again_however_it_is_written() {
        let (portal, code) = (PortalId(1), recovery_code());
        assert!(code.len() == 19 && code != recovery_code(), "{code}");
        let login = Login {
            totp: Some(Totp(vec![1; 20])),
            recovery: vec![recovery_hash(portal, 71, &code)],
            ..Login::new(71, String::new(), Role::Agent, 0)
        };
        let secret = login.totp.clone().unwrap();
        let told = |sent: &str| read(portal, &login, &secret, sent, 0);
        for sent in [code.clone(), code.to_lowercase(), code.replace('-', " "), code.replace('-', "")] {
            assert_eq!(told(&sent), Code::Recovery(login.recovery[0]), "{sent}");
        }
        for sent in [String::new(), "x".repeat(5000), code.replacen('-', "A", 1), recovery_code()] {
            assert_eq!(told(&sent), Code::Wrong, "{sent}");
        }
    }
}
