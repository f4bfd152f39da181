//! The words by which mail clients announce what they copy, in the languages they are shipped in.

/// "wrote", always in lower case, as it stands in an attribution.
const WROTE: [&str; 26] = [
    "wrote",
    "schrieb",
    "a écrit",
    "escribió",
    "ha scritto",
    "schreef",
    "escreveu",
    "skrev",
    "napisał",
    "napisał(a)",
    "napisała",
    "napsal",
    "napsal(a)",
    "napísal",
    "написал",
    "написал(а)",
    "пишет",
    "пише",
    "kirjoitti",
    "yazdı",
    "a scris",
    "írta",
    "写道",
    "寫道",
    "작성",
    "のメール",
];

const ORIGINAL: [&str; 20] = [
    "original message",
    "original appointment",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message d’origine",
    "message original",
    "mensaje original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "mensagem original",
    "ursprungligt meddelande",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "oryginalna wiadomość",
    "wiadomość oryginalna",
    "původní zpráva",
    "исходное сообщение",
    "元のメッセージ",
    "原始邮件",
];

const FORWARDED: [&str; 24] = [
    "forwarded message",
    "begin forwarded message",
    "forwarded by",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "message transféré",
    "début du message transféré",
    "message réexpédié",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht",
    "mensagem encaminhada",
    "mensagem reencaminhada",
    "vidarebefordrat meddelande",
    "videresendt meddelelse",
    "videresendt melding",
    "przekazana wiadomość",
    "wiadomość przekazana dalej",
    "пересланное сообщение",
    "転送されたメッセージ",
    "转发的邮件",
];

const FROM: [&str; 19] = [
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "od",
    "lähettäjä",
    "от",
    "від",
    "kimden",
    "feladó",
    "de la",
    "expéditeur",
    "remitente",
    "mittente",
    "差出人",
    "发件人",
];
const SENT: [&str; 28] = [
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "envoyé le",
    "enviado",
    "enviado el",
    "enviada em",
    "fecha",
    "inviato",
    "data",
    "verzonden",
    "skickat",
    "dato",
    "sendt",
    "wysłano",
    "odesláno",
    "lähetetty",
    "отправлено",
    "дата",
    "tarih",
    "gönderilme",
    "elküldve",
    "送信日時",
    "日付",
    "发送时间",
    "日期",
];
const TO: [&str; 17] = [
    "to",
    "an",
    "à",
    "para",
    "a",
    "aan",
    "till",
    "til",
    "do",
    "komu",
    "vastaanottaja",
    "кому",
    "kime",
    "címzett",
    "宛先",
    "收件人",
    "pour",
];
const SUBJECT: [&str; 20] = [
    "subject",
    "betreff",
    "objet",
    "asunto",
    "oggetto",
    "onderwerp",
    "assunto",
    "ämne",
    "emne",
    "temat",
    "předmět",
    "aihe",
    "тема",
    "konu",
    "tárgy",
    "subiect",
    "件名",
    "主题",
    "主旨",
    "predmet",
];

/// No attribution or mark of a forward is longer, so longer lines are not looked into.
const LONGEST: usize = 400;

/// How sure an attribution makes us of what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribution {
    /// It might be a sentence: only quoted text below it is history.
    Likely,
    /// It names an address or a time of day as well: whatever follows is history.
    Certain,
}

/// Whether `line` says who wrote the text below it, and when.
pub(super) fn attribution(line: &str) -> Option<Attribution> {
    let line = line.trim();
    if line.len() > LONGEST || !line.ends_with([':', '：']) || !line.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let body = line.trim_end_matches([':', '：', ' ', '\u{a0}']).to_lowercase();
    let has_address = body.contains('@');
    // Japanese and terse clients write no verb: date, name, address in angle brackets, colon.
    let terse = has_address && body.ends_with('>') && body.starts_with(|c: char| c.is_ascii_digit());
    let wrote = WROTE.iter().any(|verb| contains_word(&body, verb));
    let certain = has_address || has_time_of_day(&body);
    (wrote || terse).then_some(if certain { Attribution::Certain } else { Attribution::Likely })
}

/// Whether `line` separates an answer from the original below it, as in `-----Original Message-----`.
pub(super) fn original_mark(line: &str) -> bool {
    let line = line.trim();
    let inner = line.trim_matches(['-', ' ', '_', '\u{2014}']).to_lowercase();
    line.len() <= LONGEST && line.starts_with("--") && ORIGINAL.contains(&inner.as_str())
}

/// Whether `line` announces a forwarded letter.
pub(super) fn forward_mark(line: &str) -> bool {
    let line = line.trim();
    if line.len() > LONGEST {
        return false;
    }
    let dashed = line.starts_with("--");
    let inner = line.trim_matches(['-', ' ', ':', '：', '>', '*', '\u{a0}']).to_lowercase();
    (dashed || line.ends_with([':', '：'])) && FORWARDED.iter().any(|mark| inner.starts_with(mark))
}

/// Whether the copied head of a letter (`From:`, `Sent:`, `To:`, `Subject:`) begins with the first line.
pub(super) fn head_begins(lines: &[&str]) -> bool {
    let Some((first, rest)) = lines.split_first() else { return false };
    if !label(first).is_some_and(|label| FROM.contains(&label.as_str())) {
        return false;
    }
    let labels: Vec<String> = rest.iter().take(6).filter_map(|line| label(line)).collect();
    let has = |words: &[&str]| labels.iter().any(|label| words.contains(&label.as_str()));
    let (sent, to, subject) = (has(&SENT), has(&TO), has(&SUBJECT));
    (sent && to) || (subject && (sent || to))
}

fn label(line: &str) -> Option<String> {
    let line = line.trim_start_matches(['*', ' ', '\t', '\u{a0}']);
    // The longest label is short, so a long line is not searched for its colon.
    let (at, _) = line.char_indices().take(24).find(|(_, c)| matches!(c, ':' | '：'))?;
    Some(line[..at].trim_end_matches(['*', ' ', '\u{a0}']).to_lowercase())
}

fn contains_word(text: &str, word: &str) -> bool {
    // Chinese, Japanese and Korean do not put spaces between words.
    let spaced = word.chars().all(|c| (c as u32) < 0x2e80);
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !spaced || (!before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric))
    })
}

fn has_time_of_day(text: &str) -> bool {
    text.as_bytes().windows(4).any(|w| {
        w[0].is_ascii_digit()
            && matches!(w[1], b':' | b'.' | b'h')
            && w[2].is_ascii_digit()
            && w[3].is_ascii_digit()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributions_of_many_clients() {
        let certain = [
            "On Tue, Jan 2, 2024 at 9:15 AM Ana Ruiz <ana@example.com> wrote:",
            "Am 02.01.24 um 09:15 schrieb Ana Ruiz:",
            "Am Di., 2. Jan. 2024 um 09:15 Uhr schrieb Ana <ana@example.com>:",
            "Le mar. 2 janv. 2024 à 09:15, Ana <ana@example.com> a écrit :",
            "El mar, 2 ene 2024 a las 9:15, Ana (<ana@example.com>) escribió:",
            "Il giorno mar 2 gen 2024 alle ore 09:15 Ana <ana@example.com> ha scritto:",
            "Op di 2 jan 2024 om 09:15 schreef Ana <ana@example.com>:",
            "Em ter., 2 de jan. de 2024 às 09:15, Ana <ana@example.com> escreveu:",
            "Den tis 2 jan. 2024 kl 09:15 skrev Ana <ana@example.com>:",
            "wt., 2 sty 2024 o 09:15 Ana <ana@example.com> napisał(a):",
            "2024年1月2日(火) 9:15 Ana <ana@example.com>:",
            "Ana <ana@example.com> 于2024年1月2日周二 09:15写道：",
        ];
        for line in certain {
            assert_eq!(attribution(line), Some(Attribution::Certain), "{line}");
        }
        assert_eq!(attribution("On 2 January 2024, Ana wrote:"), Some(Attribution::Likely));
        for line in ["She wrote:", "See 2 points:", "Item 3 was underwrote:", "On 2 May Ana wrote to me."] {
            assert_eq!(attribution(line), None, "{line}");
        }
    }

    #[test]
    fn heads_and_marks() {
        assert!(head_begins(&["From: Ana", "Sent: Tuesday", "To: Bo", "Subject: x"]));
        assert!(head_begins(&["*Von:* Ana", "*Gesendet:* Dienstag", "*An:* Bo", "*Betreff:* x"]));
        assert!(head_begins(&["De : Ana", "Envoyé : mardi", "À : Bo", "Objet : x"]));
        assert!(!head_begins(&["From: Berlin", "To: Paris", "Seats: 2"]));
        assert!(
            original_mark("-----Original Message-----") && original_mark("-----Ursprüngliche Nachricht-----")
        );
        assert!(!original_mark("The original message"));
        assert!(
            forward_mark("---------- Forwarded message ---------")
                && forward_mark("Begin forwarded message:")
        );
    }
}
