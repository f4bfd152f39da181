//! What users see who let an app in.

use crate::call::Answer;
use crate::pages::{escaped, page};

/// Where somebody signs in.
pub fn sign_in(
    form: &str,
    account: Option<&str>,
    trouble: Option<&str>,
    status: u16,
    cookies: &[String],
) -> Answer {
    let account = account.map(|number| {
        format!(
            "<label for=\"account\">Account number</label>\
             <input id=\"account\" name=\"account\" inputmode=\"numeric\" value=\"{}\" required>",
            escaped(number)
        )
    });
    let account = account.unwrap_or_default();
    let trouble = trouble.map(|text| format!("<p role=\"alert\">{}</p>", escaped(text))).unwrap_or_default();
    let body = format!(
        "{trouble}<form method=\"post\"><input type=\"hidden\" name=\"form\" value=\"{}\">{account}\
         <label for=\"email\">Email address</label>\
         <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" required autofocus>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <label for=\"code\">Code of your authenticator, if you have one</label>\
         <input id=\"code\" name=\"code\" autocomplete=\"one-time-code\">\
         <button name=\"do\" value=\"sign-in\">Sign in</button></form>",
        escaped(form)
    );
    page(status, "Sign in", &body, cookies)
}

/// Where somebody lets an app in, or does not.
pub fn consent(
    app: &str,
    portal: &str,
    user: &str,
    scopes: &[String],
    form: &str,
    cookies: &[String],
) -> Answer {
    let list: String =
        scopes.iter().map(|scope| format!("<li><code>{}</code></li>", escaped(scope))).collect();
    let body = format!(
        "<p>The app <strong>{}</strong> asks for access to <strong>{}</strong>:</p><ul>{list}</ul>\
         <p>You are signed in as {}.</p>\
         <form method=\"post\"><input type=\"hidden\" name=\"form\" value=\"{}\">\
         <button name=\"do\" value=\"allow\">Allow</button><button name=\"do\" value=\"deny\">Do not allow</button>\
         <button name=\"do\" value=\"sign-out\">Sign out</button></form>",
        escaped(app),
        escaped(portal),
        escaped(user),
        escaped(form)
    );
    page(200, &format!("Connect {app}"), &body, cookies)
}
