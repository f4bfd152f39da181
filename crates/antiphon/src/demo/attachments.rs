//! What is attached to messages of the demo: every kind there is, in turn.

use serde_json::{Value, json};

/// Where the demo's files are said to be.
const FILES: &str = "https://files.larkspur.example/demo";

const NAMES: [(&str, &str, i64); 6] = [
    ("photo-of-the-damage.jpg", "image/jpeg", 1_482_113),
    ("invoice.pdf", "application/pdf", 88_412),
    ("voice-message.ogg", "audio/ogg", 203_918),
    ("فاتورة.pdf", "application/pdf", 91_002),
    ("領収書.pdf", "application/pdf", 76_554),
    ("clicking-noise.mp4", "video/mp4", 9_120_443),
];

/// What a visitor sends along with the message of this number on this channel, if anything.
pub fn incoming(channel: i64, number: usize) -> Option<Value> {
    if number % 9 != 4 {
        return None;
    }
    let turn = number / 9;
    let kinds = match channel {
        1002 => 2,
        _ => 8,
    };
    Some(match turn % kinds {
        0 => file(turn),
        1 => json!({ "type": "CONTACT", "contactProfile": {
            "name": { "firstName": "Hanna", "lastName": "Ekström" },
            "org": { "company": "Ekström Kurier", "title": "Dispatcher" },
            "emails": [{ "email": "hanna@ekstrom.example", "type": "WORK" }],
            "phones": [{ "phone": "+46701740605", "type": "CELL" }],
            "urls": [{ "url": "https://ekstrom.example", "type": "WORK" }],
            "addresses": [{ "street": "Bangatan 4", "city": "Lund", "zip": "222 21", "countryCode": "SE", "type": "WORK" }],
        } }),
        2 => json!({ "type": "LOCATION", "latitude": 55.7047, "longitude": 13.191, "name": "Meeting point",
            "address": "Bangatan 4, 222 21 Lund", "url": "https://maps.example/?q=55.7047,13.191" }),
        3 => json!({ "type": "UNSUPPORTED_CONTENT" }),
        4 => json!({ "type": "MESSAGE_HEADER", "text": "Your service appointment" }),
        5 => json!({ "type": "WHATSAPP_TEMPLATE_METADATA", "crmObjectIds": { "CONTACT": 7 },
            "parameters": { "1": "Kestrel 7", "2": "09:00" }, "mappedTemplateId": 31, "contentId": 118_204 }),
        6 => {
            json!({ "type": "SOCIAL_MEDIA_METADATA", "socialMetadata": { "mediaType": "STORY", "id": "st-5512",
            "mediaTitle": "First ride of the year", "mediaUrl": "https://social.example/st-5512" } })
        }
        _ => json!({ "type": "QUICK_REPLIES", "quickReplies": [
            { "value": "yes", "valueType": "TEXT", "label": "Yes" }, { "value": "no", "valueType": "TEXT", "label": "No" }] }),
    })
}

/// What an agent sends along with the message of this number, if anything.
pub fn outgoing(number: usize) -> Option<Value> {
    match number % 26 {
        3 => Some(json!({ "type": "FILE", "fileId": (number % NAMES.len() + 1).to_string() })),
        11 => Some(json!({ "type": "QUICK_REPLIES", "quickReplies": [
            { "value": "morning", "valueType": "TEXT", "label": "Morning 🌅" },
            { "value": "afternoon", "valueType": "TEXT", "label": "Afternoon" },
            { "value": "https://larkspur.example/book", "valueType": "URL", "label": "Choose a day" }] })),
        19 => Some(
            json!({ "type": "SOCIAL_MEDIA_METADATA", "socialMetadata": { "mediaType": "PHOTO", "id": "ph-204",
            "description": "The green one, in daylight", "mediaUrl": "https://social.example/ph-204" } }),
        ),
        _ => None,
    }
}

/// Files that are known from the beginning; agents attach these.
pub fn files() -> impl Iterator<Item = Value> {
    NAMES.iter().enumerate().map(|(number, (name, media_type, size))| {
        json!({ "name": name, "mediaType": media_type, "size": size, "url": format!("{FILES}/shop/{number}") })
    })
}

fn file(turn: usize) -> Value {
    let (name, media_type, size) = NAMES[turn % NAMES.len()];
    json!({ "type": "FILE", "name": name, "mediaType": media_type, "size": size, "url": format!("{FILES}/sent/{turn}") })
}
