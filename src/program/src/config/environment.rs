//! The environment as layers of settings, one a variable, so that a message can name it.

use figment::value::{Dict, Value};

use super::{Layer, SECTIONS, secret};

const PREFIX: &str = "MUSTER_";

/// Variables that are no settings: they say where the settings are.
const NOT_SETTINGS: [&str; 1] = ["MUSTER_CONFIG"];

/// Settings that are texts, also when they look like numbers: a folder or a prefix can be `2026`.
const TEXTS: [&str; 5] = ["key_prefix", "roll", "roll_mode", "log", "traces"];

/// The layers, least first. Variables of other programs' sections are skipped, and secrets and
/// [`TEXTS`] are texts, whatever they look like.
pub(super) fn layers(
    environment: &[(String, String)],
    section: &str,
    secrets: &[&str],
) -> Vec<Layer> {
    let layer = |name: &str, key: &str, value: &str| {
        if secret::is_secret(key, secrets) || TEXTS.contains(&key) {
            text_layer(name, key, value.to_owned())
        } else {
            layer(name, key, value)
        }
    };
    let mut layers: Vec<Layer> = inherited(environment).collect();
    let own = environment.iter().filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()));
    // What all programs share comes before the section, as in the file.
    for of_section in [false, true] {
        layers.extend(own.clone().filter_map(|(name, value)| {
            let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
            let named = SECTIONS.iter().find_map(|section| {
                Some((*section, key.strip_prefix(section)?.strip_prefix('_')?))
            });
            match named {
                Some((named, key)) if of_section && named == section => {
                    Some(layer(name, key, value))
                }
                None if !of_section => Some(layer(name, &key, value)),
                _ => None,
            }
        }));
    }
    layers
}

/// The variables of the system that Muster replaces, and that of OpenTelemetry.
fn inherited(environment: &[(String, String)]) -> impl Iterator<Item = Layer> {
    let variable = |wanted: &str| {
        environment.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, v)| v)
    };
    let (host, port) = (variable("REDIS_HOST"), variable("REDIS_PORT"));
    let store = (host.is_some() || port.is_some()).then(|| {
        let host = host.map_or("127.0.0.1", String::as_str);
        let port = port.map_or("6379", String::as_str);
        text_layer("REDIS_HOST and REDIS_PORT", "store", format!("redis://{host}:{port}"))
    });
    let text = |name, key| variable(name).map(|value| text_layer(name, key, value.clone()));
    let (log, traces) = (text("LOG_LEVEL", "log"), text("OTEL_EXPORTER_OTLP_ENDPOINT", "traces"));
    store.into_iter().chain(log).chain(traces)
}

fn layer(name: &str, key: &str, value: &str) -> Layer {
    let number = value.parse::<i64>().map(Value::from).ok();
    let is_decimal = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let decimal = value.parse::<f64>().ok().filter(|_| is_decimal).map(Value::from);
    let switch = value.parse::<bool>().map(Value::from).ok();
    let value = number.or(decimal).or(switch).unwrap_or_else(|| Value::from(value));
    Layer { name: name.to_owned(), values: Dict::from([(key.to_owned(), value)]) }
}

fn text_layer(name: &str, key: &str, value: String) -> Layer {
    Layer { name: name.to_owned(), values: Dict::from([(key.to_owned(), Value::from(value))]) }
}
