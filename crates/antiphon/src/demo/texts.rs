//! What is said in the demo: conversations in a dozen languages, in files of their own beside this one.

use serde::Deserialize;

/// The conversations of one language.
#[derive(Debug, Deserialize)]
pub struct Language {
    /// Its code.
    pub language: String,
    /// How a chat greets.
    pub welcome: String,
    pub days: Vec<String>,
    pub comments: Vec<String>,
    /// A question and its answer.
    pub follow_ups: Vec<(String, String)>,
    pub people: Vec<Person>,
    pub stories: Vec<Story>,
}

/// Somebody who writes to the shop.
#[derive(Debug, Deserialize)]
pub struct Person {
    pub name: String,
    pub email: String,
    pub phone: String,
}

/// A conversation: the visitor begins, then they take turns.
#[derive(Debug, Deserialize)]
pub struct Story {
    pub subject: String,
    pub turns: Vec<String>,
}

impl Language {
    /// Whether it is written from right to left.
    pub fn leftwards(&self) -> bool {
        matches!(self.language.as_str(), "ar" | "he")
    }
}

/// The languages in the order in which threads take them, and what nobody asked for.
///
/// # Errors
/// When a file is not what it should be.
pub fn load() -> anyhow::Result<(Vec<Language>, Language)> {
    let files = [
        include_str!("texts/en.toml"),
        include_str!("texts/de.toml"),
        include_str!("texts/fr.toml"),
        include_str!("texts/es.toml"),
        include_str!("texts/ja.toml"),
        include_str!("texts/ar.toml"),
        include_str!("texts/pl.toml"),
        include_str!("texts/uk.toml"),
        include_str!("texts/he.toml"),
        include_str!("texts/hi.toml"),
        include_str!("texts/zh.toml"),
    ];
    let languages = files.into_iter().map(toml::from_str).collect::<Result<_, _>>()?;
    Ok((languages, toml::from_str(include_str!("texts/spam.toml"))?))
}
