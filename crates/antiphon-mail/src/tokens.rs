//! HTML as a flat run of tokens, each knowing where in the source it stood.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

/// Elements that never have an end tag.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// The tokens of `html`, without the parser's complaints. Scripts and styles arrive as text of their element.
pub(crate) fn tokens(html: &str) -> impl Iterator<Item = Token<usize>> + '_ {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).flatten().filter(|token| !matches!(token, Token::Error(_)))
}

/// The name of a tag. Names are compared with ASCII ones only, so an odd byte may be replaced.
pub(crate) fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether an element of this name has no content and no end tag.
pub(crate) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}

/// The value of an attribute, empty when it is absent.
pub(crate) fn attribute(tag: &StartTag<usize>, name: &[u8]) -> String {
    tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}
