//! Where an app is told of events, and of which, set by administrators of the app's portal: they need no key of the app for it.

use antiphon_store::AppId;

use super::{settings, subscriptions};
use crate::apps;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /apps/{appId}/webhook/settings`
pub async fn settings_get(call: Call) -> Result<Answer, Refusal> {
    let app = own(&call)?;
    settings::get_of(&call, app)
}

/// `PUT /apps/{appId}/webhook/settings`
pub async fn settings_put(call: Call) -> Result<Answer, Refusal> {
    let app = own(&call)?;
    settings::put_of(&call, app).await
}

/// `DELETE /apps/{appId}/webhook/settings`
pub async fn settings_delete(call: Call) -> Result<Answer, Refusal> {
    let app = own(&call)?;
    settings::delete_of(&call, app).await
}

/// `GET /apps/{appId}/webhook/subscriptions`
pub async fn subscriptions_list(call: Call) -> Result<Answer, Refusal> {
    let app = own(&call)?;
    subscriptions::list_of(&call, app)
}

/// `POST /apps/{appId}/webhook/subscriptions`
pub async fn subscriptions_create(call: Call) -> Result<Answer, Refusal> {
    let app = own(&call)?;
    subscriptions::create_of(&call, app).await
}

/// `PATCH /apps/{appId}/webhook/subscriptions/{subscriptionId}`
pub async fn subscriptions_update(call: Call) -> Result<Answer, Refusal> {
    let app = own(&call)?;
    subscriptions::update_of(&call, app).await
}

/// `DELETE /apps/{appId}/webhook/subscriptions/{subscriptionId}`
pub async fn subscriptions_delete(call: Call) -> Result<Answer, Refusal> {
    let app = own(&call)?;
    subscriptions::delete_of(&call, app).await
}

/// The app that the path names, which is changed in the one portal that it belongs to.
fn own(call: &Call) -> Result<AppId, Refusal> {
    let id = apps::named(call.segment(0))?;
    call.caller.directory.own_app(id).map(|app| app.id).ok_or_else(|| Refusal::not_found(id))
}
