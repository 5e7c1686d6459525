//! The store's URL: what is shown of it.

use muster_queue::{Durability, StoreUrl};
use redis::IntoConnectionInfo as _;

use crate::shown;

/// A shorter password may stand in the rest of the URL by chance.
const PASSWORD_BYTES_MIN: usize = 4;

/// A URL is a store or is refused; what is shown of it has no password, and is shown so again.
pub fn store_url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let url: StoreUrl = match text.parse() {
        Ok(url) => url,
        Err(refusal) => return shown::line(&format!("{refusal}")),
    };
    let display = url.to_string();
    let json = serde_json::to_string(&url).expect("a URL can be JSON");
    assert_eq!(serde_json::from_str::<String>(&json).ok().as_ref(), Some(&display));
    assert_eq!(format!("{url:?}"), format!("StoreUrl({display})"));
    assert_eq!(display.chars().find(|c| c.is_control()), None, "{display:?}");
    let is_file = matches!(url, StoreUrl::Embedded(_));
    assert_eq!(url.check(Durability::Replicated).is_err(), is_file, "a file has no replicas");
    match password(&text) {
        None => assert!(text.contains('@') || display == text, "{display}"),
        // What is said elsewhere in the URL, as a name for example, is no secret.
        Some(password) if is_said_once(&text, &password) => {
            let but_for_the_stars = display.replacen(":***@", "\n", 1);
            assert!(!but_for_the_stars.contains(&password), "{display}");
        }
        Some(_) => {}
    }
    let again: StoreUrl = display.parse().expect("what is shown is a URL");
    assert_eq!(again.to_string(), display);
}

/// Whether the login says the password as it is, and nothing else in the URL does.
fn is_said_once(url: &str, password: &str) -> bool {
    let login = url.rsplit_once('@').map_or("", |(login, _)| login);
    let login = login.split_once("://").map_or("", |(_, login)| login);
    let said = login.split_once(':').map_or("", |(_, said)| said);
    said == password && url.matches(password).count() == 1
}

/// The password that Redis' own reader finds in the URL of one server, decoded.
fn password(url: &str) -> Option<String> {
    let info = url.into_connection_info().ok()?;
    let password = info.redis_settings().password()?.to_owned();
    (password.len() >= PASSWORD_BYTES_MIN).then_some(password)
}
