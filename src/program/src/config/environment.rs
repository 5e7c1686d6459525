//! The environment as layers of settings, one a variable, so that a message can name it.
//!
//! Variables of others can look like Muster's: Kubernetes and Docker describe a service called
//! `muster-server` to every container next to it, by `MUSTER_SERVER_PORT=tcp://10.0.0.1:50051`,
//! `MUSTER_SERVER_SERVICE_HOST` and more. So a variable that is not a setting is ignored with a
//! warning. One whose name is almost that of a setting is misspelt, and an error: it may be the one
//! that asks for TLS or for durability.

use figment::value::{Dict, Value};

use super::error::nearest;
use super::{Error, FILE, Layer, SECTIONS, SHARED, secret};
use crate::{logging, traces};

const PREFIX: &str = "MUSTER_";

/// Settings that are texts, also when they look like numbers: a folder or a prefix can be `2026`.
const TEXTS: [&str; 6] = ["key_prefix", "roll", "roll_mode", "log", "traces", "sentinel_user"];

/// Settings of which an empty text says something: that traces go nowhere, whatever else is set.
const MAY_BE_EMPTY: [&str; 1] = ["traces"];

/// What the address of a service begins with, as Kubernetes and Docker write it.
const SERVICES: [&str; 3] = ["tcp://", "udp://", "sctp://"];

/// How the names of the variables end by which Kubernetes and Docker describe a service, and what
/// else is in them. No setting has such a name.
const ENDS_OF_SERVICES: [&str; 2] = ["_PORT", "_NAME"];
const PARTS_OF_SERVICES: [&str; 4] = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_", "_ENV_"];

/// What the environment says.
#[derive(Default)]
pub(super) struct Environment {
    /// The settings, least first.
    pub(super) layers: Vec<Layer>,
    /// Which variables are ignored, and why, a line each.
    pub(super) warnings: Vec<String>,
}

/// Reads the variables of the program with this section, whose keys are those of `defaults`, and
/// skips those of other sections. An empty variable counts as absent, except [`MAY_BE_EMPTY`].
/// Secrets and [`TEXTS`] are texts, whatever they look like; the items of a list are separated by
/// commas.
///
/// # Errors
///
/// A variable is misspelt.
pub(super) fn read(
    variables: &[(String, String)],
    section: &str,
    secrets: &[&str],
    defaults: &Layer,
) -> Result<Environment, Error> {
    let mut found = inherited(variables);
    for Variable { name, key, value, is_of_section } in own(variables, section) {
        let key = key.as_str();
        if value.is_empty() && !MAY_BE_EMPTY.contains(&key) {
            continue;
        }
        if is_setting(key, secrets, defaults) {
            let value = if matches!(defaults.values.get(key), Some(Value::Array(..))) {
                list(value)
            } else if secret::is_secret(key, secrets) || TEXTS.contains(&key) {
                Value::from(value)
            } else {
                scalar(value)
            };
            found.layers.push(layer(name, key, value));
            continue;
        }
        let known: Vec<&str> = if is_of_section {
            defaults.values.keys().map(String::as_str).collect()
        } else {
            SHARED.into_iter().chain(secret::SHARED).collect()
        };
        match nearest(key, known) {
            Some(near) if !is_of_service(name) => {
                let (key, origin) = (key.to_owned(), name.to_owned());
                return Err(Error::UnknownKey { key, origin, nearest: Some(near.to_owned()) });
            }
            _ => found.warnings.push(format!("{name} is not a setting and is ignored")),
        }
    }
    Ok(found)
}

/// A variable that may be a setting of the program.
struct Variable<'a> {
    name: &'a str,
    key: String,
    value: &'a str,
    /// Whether it is of the program's own section.
    is_of_section: bool,
}

/// The variables that may be settings of the program with this section: those of all programs
/// first, as in the file.
fn own<'a>(variables: &'a [(String, String)], section: &str) -> Vec<Variable<'a>> {
    let own = variables.iter().filter_map(|(name, value)| {
        if name == FILE {
            return None;
        }
        let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
        let named = SECTIONS
            .iter()
            .find_map(|section| Some((*section, key.strip_prefix(section)?.strip_prefix('_')?)));
        let (key, is_of_section) = match named {
            Some((named, key)) if named == section => (key.to_owned(), true),
            Some(_) => return None,
            None => (key, false),
        };
        Some(Variable { name, key, value, is_of_section })
    });
    let mut own: Vec<Variable<'_>> = own.collect();
    own.sort_by_key(|variable| variable.is_of_section);
    own
}

/// Whether this is a key of the program, of all programs, or of the file of a secret.
fn is_setting(key: &str, secrets: &[&str], defaults: &Layer) -> bool {
    let secret = key.strip_suffix("_file").unwrap_or(key);
    defaults.values.contains_key(key) || SHARED.contains(&key) || secret::is_secret(secret, secrets)
}

/// The variables of the system that Muster replaces, and that of OpenTelemetry. Other programs read
/// them as well, so one that means nothing to Muster is ignored with a warning.
fn inherited(variables: &[(String, String)]) -> Environment {
    let mut warnings = Vec::new();
    let mut variable = |wanted: &str, problem_of: fn(&str) -> Option<String>| {
        let (_, value) =
            variables.iter().find(|(name, value)| name == wanted && !value.is_empty())?;
        match problem_of(value) {
            None => Some(value.as_str()),
            Some(problem) => {
                warnings.push(format!("{wanted} is ignored: {problem}"));
                None
            }
        }
    };
    let host = variable("REDIS_HOST", address_of_service);
    let port = variable("REDIS_PORT", address_of_service);
    let log = variable("LOG_LEVEL", |level| {
        logging::parse_filter(level).err().map(|error| error.to_string())
    });
    let collector = variable("OTEL_EXPORTER_OTLP_ENDPOINT", |url| traces::check_url(url).err());
    let store = (host.is_some() || port.is_some()).then(|| {
        let (host, port) = (host.unwrap_or("127.0.0.1"), port.unwrap_or("6379"));
        let url = format!("redis://{host}:{port}");
        layer("REDIS_HOST and REDIS_PORT", "store", Value::from(url))
    });
    let log = log.map(|level| layer("LOG_LEVEL", "log", Value::from(level)));
    let traces =
        collector.map(|url| layer("OTEL_EXPORTER_OTLP_ENDPOINT", "traces", Value::from(url)));
    Environment { layers: store.into_iter().chain(log).chain(traces).collect(), warnings }
}

/// Whether a variable has a name that Kubernetes or Docker gives it.
fn is_of_service(name: &str) -> bool {
    ENDS_OF_SERVICES.iter().any(|end| name.ends_with(end))
        || PARTS_OF_SERVICES.iter().any(|part| name.contains(part))
}

/// What is wrong with a value that Kubernetes or Docker has written.
fn address_of_service(value: &str) -> Option<String> {
    let is_address = SERVICES.iter().any(|scheme| value.starts_with(scheme));
    is_address.then(|| "its value is the address of a service".to_owned())
}

/// The values between commas, without the blanks around them.
fn list(value: &str) -> Value {
    let values = value.split(',').map(str::trim).filter(|value| !value.is_empty());
    Value::from(values.map(str::to_owned).collect::<Vec<_>>())
}

fn scalar(value: &str) -> Value {
    let number = value.parse::<i64>().map(Value::from).ok();
    let is_decimal = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let decimal = value.parse::<f64>().ok().filter(|_| is_decimal).map(Value::from);
    let switch = value.parse::<bool>().map(Value::from).ok();
    number.or(decimal).or(switch).unwrap_or_else(|| Value::from(value))
}

fn layer(name: &str, key: &str, value: Value) -> Layer {
    Layer { name: name.to_owned(), values: Dict::from([(key.to_owned(), value)]), file: None }
}
