//! Settings that are secrets: each from a file of its own, and never from an argument.
//!
//! For a secret `K` the setting `K_file` names a file that holds it, and systemd can hand it over as
//! the credential `muster.K`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Value};

use super::{Error, Layer};

/// The secrets among what all programs share. Those that have no use for one leave its file alone:
/// they need not be allowed to read it.
pub(super) const SHARED: [&str; 2] = ["store", "sentinel_password"];

/// Where systemd says which folder has the credentials of the unit.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Whether this key is a secret, of this program or of others.
pub(super) fn is_secret(key: &str, secrets: &[&str]) -> bool {
    secrets.contains(&key) || SHARED.contains(&key)
}

/// Takes each `K_file` out of a layer. What the files hold are layers of their own, which belong
/// above what is left.
pub(super) fn read(mut layer: Layer, secrets: &[&str]) -> Result<Vec<Layer>, Error> {
    let mut read = Vec::new();
    let unused = SHARED.iter().filter(|shared| !secrets.contains(shared));
    for secret in secrets.iter().chain(unused) {
        let key = format!("{secret}_file");
        let Some(file) = layer.values.remove(&key) else { continue };
        let bad = |problem: String| {
            let (key, origin) = (key.clone(), layer.name.clone());
            Error::BadValue { key, origin, problem }
        };
        if layer.values.contains_key(*secret) {
            return Err(bad(format!("there is `{secret}` beside it")));
        }
        let Some(path) = file.as_str() else {
            return Err(bad("is not the name of a file".to_owned()));
        };
        if secrets.contains(secret) {
            let path = PathBuf::from(path);
            match std::fs::read_to_string(&path) {
                Ok(text) => read.push(held_by(&path, secret, &text)),
                Err(source) => return Err(Error::Unreadable { path, source }),
            }
        }
    }
    read.insert(0, layer);
    Ok(read)
}

/// What is among the credentials that systemd has handed to the unit, if it is one.
pub(super) fn credentials(
    environment: &[(String, String)],
    secrets: &[&str],
) -> Result<Vec<Layer>, Error> {
    let mut variables = environment.iter();
    let Some((_, folder)) =
        variables.find(|(name, folder)| name == CREDENTIALS && !folder.is_empty())
    else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for secret in secrets {
        let path = Path::new(folder).join(format!("muster.{secret}"));
        match std::fs::read_to_string(&path) {
            Ok(text) => found.push(held_by(&path, secret, &text)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Unreadable { path, source }),
        }
    }
    Ok(found)
}

fn held_by(path: &Path, secret: &str, text: &str) -> Layer {
    let values = Dict::from([(secret.to_owned(), Value::from(text.trim()))]);
    Layer { name: path.display().to_string(), values, file: Some(path.to_owned()) }
}

/// Refuses a flag with a password in it: everyone on the machine can read the arguments of a
/// process.
pub(super) fn refuse_in_arguments(flags: &Layer, secrets: &[&str]) -> Result<(), Error> {
    let given = |secret: &&&str| flags.values.get(**secret).and_then(Value::as_str);
    match secrets.iter().find(|secret| given(secret).is_some_and(has_password)) {
        Some(key) => Err(Error::InArguments { key: (*key).to_owned() }),
        None => Ok(()),
    }
}

/// Whether there is a password in a URL.
pub fn has_password(url: &str) -> bool {
    let servers = url.split_once('?').map_or(url, |(servers, _)| servers);
    let login = servers.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    let password = login.and_then(|(login, _)| login.split_once(':'));
    password.is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_seen_wherever_it_can_be() {
        for url in [
            "redis://:s3cret@localhost",
            "rediss://ann:p@ss:word@localhost:6379/2?ca=/etc/a@b.pem",
            "redis-sentinel://ann:s3cret@one:1,two:2/main",
            "no-store-at-all://ann:s3cret@",
        ] {
            assert!(has_password(url), "{url}");
        }
        for url in [
            "redis://localhost:6379",
            "redis://ann@localhost:6379",
            "redis://ann:@localhost:6379",
            "rediss://localhost:6379?ca=/etc/a@b.pem",
            "file:/var/lib/a:b@c",
            "",
        ] {
            assert!(!has_password(url), "{url}");
        }
    }
}
