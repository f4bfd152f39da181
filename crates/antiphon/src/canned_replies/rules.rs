//! Who may keep which ready-made words, and under which shortcut.

use antiphon_store::{CannedChange, CannedReply, CannedState, Changes, Moment, State};
use antiphon_wire::error::Problem;

use crate::events::kinds;
use crate::refusal::Refusal;

/// Most ready-made words of a portal.
pub const MOST: usize = 2_000;

/// Whose words they are to be, and whose they may be.
#[derive(Debug, Clone, Copy)]
pub struct Editor {
    /// The agent who acts, if it is one.
    pub agent: Option<i64>,
    /// Whether everybody's words may be changed, whoever made them.
    pub of_all: bool,
}

impl Editor {
    fn sees(self, reply: &CannedReply) -> bool {
        reply.shared || (reply.owner_id.is_some() && reply.owner_id == self.agent)
    }

    fn changes(self, reply: &CannedReply) -> bool {
        let own = reply.owner_id.is_some() && reply.owner_id == self.agent;
        own || (reply.shared && self.of_all)
    }
}

/// What is asked for; what is `None` stays. The target is [`antiphon_store::Target::Canned`] with id and shortcut.
#[derive(Debug, Clone, Default)]
pub struct Words {
    pub name: Option<String>,
    /// `Some(None)` takes it away.
    pub shortcut: Option<Option<String>>,
    /// Plain text and HTML.
    pub bodies: Option<(String, String)>,
    pub shared: Option<bool>,
}

fn found(state: &State) -> CannedState {
    state.canned.as_deref().cloned().unwrap_or_default()
}

/// Keeps new words.
pub fn make(state: &State, by: Editor, words: &Words, moment: &mut Moment) -> Result<Changes, Refusal> {
    let canned = found(state);
    if canned.count >= MOST {
        return Err(Refusal::Conflict(format!("An account has at most {MOST} canned replies.")));
    }
    let mut problems = Vec::new();
    if words.name.is_none() {
        problems.push(Problem::required("name"));
    }
    if words.bodies.is_none() {
        problems.push(Problem::required("text"));
    }
    let shared = words.shared.unwrap_or(by.agent.is_none());
    if !shared && by.agent.is_none() {
        problems.push(Problem::new("shared", "Words that are not shared are an agent's own; name the agent"));
    }
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let (text, rich_text) = words.bodies.clone().unwrap_or_default();
    let reply = CannedReply {
        id: moment.subscription_id().0,
        owner_id: by.agent,
        shared,
        name: words.name.clone().unwrap_or_default(),
        shortcut: words.shortcut.clone().flatten(),
        text,
        rich_text,
        created_at: moment.now,
        updated_at: moment.now,
    };
    put(&canned, reply, moment)
}

/// Changes words that there are. `sent` is their id as the client named it.
pub fn edit(
    state: &State,
    by: Editor,
    words: &Words,
    sent: &str,
    moment: &mut Moment,
) -> Result<Changes, Refusal> {
    let canned = found(state);
    let before = editable(&canned, by, sent)?;
    let (text, rich_text) =
        words.bodies.clone().unwrap_or_else(|| (before.text.clone(), before.rich_text.clone()));
    let reply = CannedReply {
        name: words.name.clone().unwrap_or_else(|| before.name.clone()),
        shortcut: words.shortcut.clone().unwrap_or_else(|| before.shortcut.clone()),
        shared: words.shared.unwrap_or(before.shared),
        text,
        rich_text,
        ..before.clone()
    };
    if reply == *before {
        return Ok(Changes::default());
    }
    if !reply.shared && reply.owner_id.is_none() {
        let why = "Words that are nobody's own stay shared";
        return Err(Refusal::invalid("shared", why));
    }
    put(&canned, CannedReply { updated_at: moment.now, ..reply }, moment)
}

/// Takes words away.
pub fn remove(state: &State, by: Editor, sent: &str, moment: &mut Moment) -> Result<Changes, Refusal> {
    let canned = found(state);
    let id = editable(&canned, by, sent)?.id;
    let events = vec![kinds::canned_reply_changed(id, moment.now)];
    Ok(Changes { canned: vec![CannedChange::Gone(id)], events, ..Changes::default() })
}

/// The words that are meant, if they may be changed. What somebody does not see is not there.
fn editable<'c>(canned: &'c CannedState, by: Editor, sent: &str) -> Result<&'c CannedReply, Refusal> {
    let reply = canned.reply.as_ref().filter(|reply| by.sees(reply));
    let reply = reply.ok_or_else(|| Refusal::not_found(sent))?;
    if by.changes(reply) {
        return Ok(reply);
    }
    Err(Refusal::Conflict(
        "Words that a colleague shares are changed by them, or by an administrator.".into(),
    ))
}

fn put(canned: &CannedState, reply: CannedReply, moment: &Moment) -> Result<Changes, Refusal> {
    // Typed by somebody, a shortcut means one of their own and one of everybody's.
    let taken = canned.same.iter().filter(|other| other.id != reply.id).any(|other| {
        (other.shared && reply.shared) || (!other.shared && !reply.shared && other.owner_id == reply.owner_id)
    });
    if let (Some(shortcut), true) = (&reply.shortcut, taken) {
        let why = format!("The shortcut `{shortcut}` is taken");
        return Err(Refusal::invalid("shortcut", why));
    }
    let events = vec![kinds::canned_reply_changed(reply.id, moment.now)];
    Ok(Changes { canned: vec![CannedChange::Put(reply)], events, ..Changes::default() })
}

#[cfg(test)]
mod tests {
    use antiphon_store::Shortcut;

    use super::*;
    use crate::testing::{self, NOW};

    const MIA: Editor = Editor { agent: Some(71), of_all: false };
    const ADMIN: Editor = Editor { agent: Some(74), of_all: true };
    const APP: Editor = Editor { agent: None, of_all: true };

    fn state(reply: Option<CannedReply>, same: Vec<Shortcut>, count: usize) -> State {
        let canned = Some(Box::new(CannedState { reply, same, count }));
        State { canned, ..testing::state() }
    }

    fn reply(owner_id: Option<i64>, shared: bool) -> CannedReply {
        CannedReply {
            id: 5,
            owner_id,
            shared,
            name: "Greeting".into(),
            shortcut: Some("hi".into()),
            text: "Hello".into(),
            rich_text: "<div>Hello</div>".into(),
            created_at: 1,
            updated_at: 1,
        }
    }

    fn words(shared: Option<bool>) -> Words {
        Words {
            name: Some("Thanks".into()),
            shortcut: Some(Some("ty".into())),
            bodies: Some(("Thanks".into(), "<div>Thanks</div>".into())),
            shared,
        }
    }

    /// What came of it: who owns the words and whether everybody has them, or the status of a refusal.
    fn told(done: Result<Changes, Refusal>) -> Result<(Option<i64>, bool), u16> {
        let changes = done.map_err(|refusal| testing::status(&refusal))?;
        assert_eq!(testing::events(&changes), ["(canned reply)"]);
        match &changes.canned[..] {
            [CannedChange::Put(reply)] => Ok((reply.owner_id, reply.shared)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_are_an_agents_own_or_everybodys() {
        for (by, shared, expected) in [
            (MIA, None, Ok((Some(71), false))),
            (MIA, Some(true), Ok((Some(71), true))),
            (APP, None, Ok((None, true))),
            (APP, Some(false), Err(400)),
        ] {
            let done = make(&state(None, vec![], 0), by, &words(shared), &mut Moment::still(NOW));
            assert_eq!(told(done), expected, "{by:?} {shared:?}");
        }
        let empty = make(&state(None, vec![], 0), MIA, &Words::default(), &mut Moment::still(NOW));
        let Err(Refusal::Invalid(problems)) = empty else { panic!("{empty:?}") };
        assert_eq!(problems.len(), 2);
        let full = make(&state(None, vec![], MOST), MIA, &words(None), &mut Moment::still(NOW));
        assert_eq!(told(full), Err(409));
    }

    #[test]
    fn whoever_may_change_them_may() {
        let change = Words { name: Some("Other".into()), ..Words::default() };
        for (by, owner, shared, expected) in [
            (MIA, Some(71), false, 200),
            (MIA, Some(71), true, 200),
            (MIA, Some(72), false, 404),
            (MIA, Some(72), true, 409),
            (MIA, None, true, 409),
            (ADMIN, Some(72), false, 404),
            (ADMIN, Some(72), true, 200),
            (ADMIN, None, true, 200),
            (APP, Some(72), false, 404),
            (APP, Some(72), true, 200),
        ] {
            let state = state(Some(reply(owner, shared)), vec![], 1);
            let edited = edit(&state, by, &change, "5", &mut Moment::still(NOW));
            let status = edited.as_ref().map_or_else(testing::status, |_| 200);
            assert_eq!(status, expected, "{by:?} {owner:?} {shared}");
            if let Ok(changes) = edited {
                let changed = CannedReply { name: "Other".into(), updated_at: NOW, ..reply(owner, shared) };
                assert_eq!(changes.canned, [CannedChange::Put(changed)]);
            }
            let removed = remove(&state, by, "5", &mut Moment::still(NOW));
            assert_eq!(removed.as_ref().map_or_else(testing::status, |_| 200), expected);
            if let Ok(changes) = removed {
                assert_eq!(changes.canned, [CannedChange::Gone(5)]);
            }
        }
        let none = state(None, vec![], 1);
        assert_eq!(edit(&none, APP, &change, "5", &mut Moment::still(NOW)), Err(Refusal::not_found("5")));
        let same = edit(
            &state(Some(reply(Some(71), false)), vec![], 1),
            MIA,
            &Words::default(),
            "5",
            &mut Moment::still(NOW),
        );
        assert!(same.unwrap().is_empty());
    }

    #[test]
    fn a_shortcut_means_one_thing() {
        let other = |owner_id, shared| Shortcut { id: 9, owner_id, shared };
        for (same, shared, taken) in [
            (other(Some(71), false), false, true),
            (other(Some(72), false), false, false),
            (other(Some(72), true), false, false),
            (other(Some(72), true), true, true),
            (other(None, true), true, true),
            (other(Some(71), false), true, false),
            // It is its own.
            (Shortcut { id: 1, owner_id: Some(71), shared: false }, false, false),
        ] {
            let done = make(&state(None, vec![same], 1), MIA, &words(Some(shared)), &mut Moment::still(NOW));
            assert_eq!(told(done).is_err(), taken, "{same:?} {shared}");
        }
    }
}
