//! `[oidc]`

use antiphon_store::Role;
use antiphon_wire::message::is_email;
use anyhow::bail;
use serde::Deserialize;

use crate::outbound::TargetUrl;
use crate::sessions::role;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    pub name: String,
    pub domains: Vec<String>,
    pub role: String,
    pub portal: i64,
    pub unverified: bool,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Oidc {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if !self.is_on() {
            return Ok(());
        }
        if let Err(why) = TargetUrl::parse(&self.issuer) {
            bail!("oidc.issuer = {:?} is no URL: {why}", self.issuer);
        }
        if self.issuer.contains(['?', '#']) {
            bail!("oidc.issuer = {:?} has a query; write it as the issuer writes itself", self.issuer);
        }
        if self.name.trim().is_empty() {
            bail!("oidc.name is empty; write what the button is to say");
        }
        if self.portal < 0 {
            bail!("oidc.portal = {} is no portal; write its number, or 0", self.portal);
        }
        if self.client_id.is_empty() {
            bail!("oidc.client_id is empty; write the name by which the issuer knows this server");
        }
        if role::named(&self.role).is_none() {
            bail!("oidc.role = {:?} is no role; write ADMIN, AGENT or READ_ONLY", self.role);
        }
        let fine = |domain: &str| is_email(&format!("a@{domain}"));
        if let Some(wrong) = self.domains.iter().find(|domain| !fine(domain)) {
            bail!("oidc.domains has {wrong:?}, which is none; write it like \"example.org\"");
        }
        Ok(())
    }

    /// Whether agents can sign in there.
    pub fn is_on(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// The role of agents who are made.
    pub fn role(&self) -> Role {
        role::named(&self.role).unwrap_or(Role::Agent)
    }
}

#[cfg(test)]
impl Oidc {
    /// One that takes in these domains.
    pub(crate) fn test(domains: &[&str]) -> Self {
        Self {
            issuer: "https://id.example".into(),
            client_id: "antiphon".into(),
            client_secret: "secret".into(),
            name: "Example".into(),
            domains: domains.iter().map(|one| (*one).to_owned()).collect(),
            role: "AGENT".into(),
            portal: 0,
            unverified: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_writes_is_checked() {
        let fine = Oidc::test(&["acme.example"]);
        let of = |change: fn(&mut Oidc)| {
            let mut config = Oidc::test(&["acme.example"]);
            change(&mut config);
            config
        };
        assert!(fine.check().is_ok() && !format!("{fine:?}").contains("secret"));
        assert!(
            of(|config| *config = Oidc { issuer: String::new(), role: "?".into(), ..Oidc::test(&[]) })
                .check()
                .is_ok()
        );
        for (wrong, names) in [
            (of(|config| config.issuer = "id.example".into()), "oidc.issuer"),
            (of(|config| config.issuer = "https://id.example?a=b".into()), "oidc.issuer"),
            (of(|config| config.client_id.clear()), "oidc.client_id"),
            (of(|config| config.role = "ROOT".into()), "oidc.role"),
            (of(|config| config.domains = vec!["@acme.example".into()]), "oidc.domains"),
            (of(|config| config.domains = vec!["*".into()]), "oidc.domains"),
            (of(|config| config.portal = -1), "oidc.portal"),
            (of(|config| config.name.clear()), "oidc.name"),
        ] {
            let said = wrong.check().unwrap_err().to_string();
            assert!(said.starts_with(names), "{said}");
        }
    }
}
