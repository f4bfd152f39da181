//! `[outbound]`

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;

use super::Network;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    #[serde(deserialize_with = "places")]
    pub allow: Vec<Place>,
    pub http: bool,
    pub seconds: u64,
    pub certificate_authorities: PathBuf,
}

/// Where requests may go although it is not the public internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Network(Network),
    /// Whatever a name stands for.
    Host(String),
}

impl Outbound {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.seconds == 0 {
            bail!("outbound.seconds = 0 would let no request succeed; write a positive number");
        }
        Ok(())
    }

    /// Allows everything that is near and harmless: this machine and private networks, without encryption. Addresses of links
    /// are not among it, since clouds keep their secrets there.
    pub(super) fn allow_near(&mut self) {
        let near = ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
        self.allow.extend(near.iter().filter_map(|network| network.parse().ok()).map(Place::Network));
        self.http = true;
    }

    /// How long a request may take with its answer.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Whether a host may be reached at an address although it is not public.
    pub fn allows(&self, host: &str, address: IpAddr) -> bool {
        self.allow.iter().any(|place| match place {
            Place::Network(network) => network.contains(address),
            Place::Host(name) => name.eq_ignore_ascii_case(host.trim_end_matches('.')),
        })
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
        match text.parse() {
            Ok(network) => Ok(Self::Network(network)),
            Err(_) if !text.is_empty() && text.bytes().all(is_name) => Ok(Self::Host(text.into())),
            Err(_) => {
                Err(format!("{text:?} is no address, no block such as \"10.0.0.0/8\", and no name of a host"))
            }
        }
    }
}

fn places<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Place>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowing(places: &[&str]) -> Outbound {
        let allow = places.iter().map(|place| place.parse().unwrap()).collect();
        Outbound { allow, http: false, seconds: 5, certificate_authorities: PathBuf::new() }
    }

    #[test]
    fn what_is_not_public_has_to_be_allowed() {
        for (allow, host, address, allowed) in [
            (&[][..], "bot.example.org", "10.0.0.7", false),
            (&["10.0.0.0/24"], "bot.example.org", "10.0.0.7", true),
            (&["10.0.0.0/24"], "bot.example.org", "::ffff:10.0.0.7", true),
            (&["10.0.0.0/24"], "bot.example.org", "64:ff9b::10.0.0.7", false),
            (&["10.0.0.0/24"], "bot.example.org", "10.0.1.7", false),
            (&["Bot.internal"], "bot.internal", "10.0.1.7", true),
            (&["bot.internal"], "bot.internal.", "10.0.1.7", true),
            (&["bot.internal"], "a.bot.internal", "10.0.1.7", false),
            (&["bot.internal"], "other.internal", "10.0.1.7", false),
            (&["fd00::/8", "::1"], "bot.example.org", "::1", true),
        ] {
            let config = allowing(allow);
            assert_eq!(config.allows(host, address.parse().unwrap()), allowed, "{allow:?} {host} {address}");
        }
        for wrong in ["10.0.0.0/33", "", "https://bot.internal", "bot.internal:80", "*"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_demo_reaches_what_is_near_but_no_link() {
        let mut config = allowing(&[]);
        config.allow_near();
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("172.18.0.3", true),
            ("169.254.169.254", false),
            ("fe80::1", false),
        ] {
            assert_eq!(config.allows("x", address.parse().unwrap()), allowed, "{address}");
        }
    }
}
