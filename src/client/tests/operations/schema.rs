//! What `--json` prints is what `docs/client-output.schema.json` says, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use muster_proto::v1::{Batch, BatchState};
use serde_json::Value;

use crate::double::Double;
use crate::{command, enter, finish, roll, stats, workers};

/// The schema.
struct Schema(Value);

impl Schema {
    fn read() -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/client-output.schema.json");
        Self(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    }

    fn shape(&self, name: &str) -> &Value {
        self.0["$defs"].get(name).unwrap_or_else(|| panic!("no shape `{name}`"))
    }

    /// What is wrong with a value. Of JSON Schema it knows what the schema uses, and no more.
    fn fault(&self, shape: &Value, value: &Value) -> Result<(), String> {
        for (keyword, rule) in shape.as_object().unwrap() {
            let is_so = match keyword.as_str() {
                "description" => true,
                "$ref" => {
                    let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.fault(self.shape(name), value)?;
                    true
                }
                "anyOf" => list(rule).iter().any(|shape| self.fault(shape, value).is_ok()),
                "enum" => list(rule).contains(value),
                "type" => has_type(rule, value),
                "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
                "format" => value.as_str().is_none_or(|time| is_format(rule, time)),
                "items" => {
                    list(value).iter().try_for_each(|item| self.fault(rule, item))?;
                    true
                }
                "properties" => {
                    for (key, shape) in rule.as_object().unwrap() {
                        value.get(key).map_or(Ok(()), |value| self.fault(shape, value))?;
                    }
                    true
                }
                "required" => {
                    list(rule).iter().all(|key| value.get(key.as_str().unwrap()).is_some())
                }
                "additionalProperties" => keys(value).is_subset(&keys(&shape["properties"])),
                _ => panic!("the keyword {keyword} is not known to this test"),
            };
            if !is_so {
                return Err(format!("not {keyword} {rule}: {value}"));
            }
        }
        Ok(())
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn keys(value: &Value) -> BTreeSet<&String> {
    value.as_object().into_iter().flat_map(|object| object.keys()).collect()
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let types = rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice);
    types.iter().any(|name| match name.as_str().unwrap() {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        name => panic!("the type {name} is not known to this test"),
    })
}

fn is_format(rule: &Value, text: &str) -> bool {
    assert_eq!(rule, "date-time");
    text.len() == "2023-11-14T22:13:20.000Z".len() && text.ends_with('Z')
}

fn double() -> Double {
    let batch =
        |state: BatchState| Batch { state: state.into(), received: 1, dead: 1, ..Batch::default() };
    Double::start()
        .with_batch([BatchState::Sealed, BatchState::Sealed, BatchState::Written].map(batch))
        .with_list([batch(BatchState::Open)])
        .with_letters([(6, "no address")])
        .with_stats(stats::stats())
        .with_workers([workers::worker()])
        .with_roll(roll::canned())
}

/// Every command that prints data, by the name of its shape.
fn commands(folder: &Path) -> Vec<(&'static str, String)> {
    let input = folder.join("users.json");
    fs::write(&input, r#"[{"id":1,"nick":"a"}]"#).unwrap();
    let file = |name: &str| folder.join(name).display().to_string();
    vec![
        ("send", format!("send {} --batch b-1 --wait --json", input.display())),
        ("send", format!("send {} --json", input.display())),
        ("batch-list", "batch list --json".into()),
        ("batch-show", "batch show b-1 --json".into()),
        ("batch-wait", "batch wait b-1 --json".into()),
        ("batch-abort", "batch abort b-1 --yes --json".into()),
        ("dead-list", "dead list --json".into()),
        ("dead-list", "dead list --batch b-1 --json".into()),
        ("dead-show", "dead show b-1 6 --json".into()),
        ("dead-export", "dead export".into()),
        ("dead-replay", "dead replay --batch b-1 --wait --json".into()),
        ("dead-drop", "dead drop --batch b-1 --yes --json".into()),
        ("stats", "stats --json".into()),
        ("workers", "workers --json".into()),
        ("queue-pause", "queue pause --json".into()),
        ("queue-resume", "queue resume --json".into()),
        ("roll-show", "roll show --json".into()),
        ("roll-download", format!("roll download {} --json", file("roll.json"))),
        ("log", "log debug --json".into()),
        ("log", "log --reset --json".into()),
    ]
}

#[test]
fn what_is_printed_is_what_the_schema_says() {
    let (schema, folder) = (Schema::read(), tempfile::tempdir().unwrap());
    let mut tried = BTreeSet::new();
    for (name, line) in commands(folder.path()) {
        let double = double();
        let finished = enter(&double, &line);
        assert!([0, 3].contains(&finished.code), "{line}: {finished:?}");
        assert_ne!(finished.stdout, "", "{line}");
        for object in finished.stdout.lines() {
            let object = serde_json::from_str(object).unwrap();
            if let Err(fault) = schema.fault(schema.shape(name), &object) {
                panic!("{line}: {fault}");
            }
        }
        tried.insert(format!("#/$defs/{name}"));
    }
    let commands = list(&schema.0["anyOf"]).iter();
    let described: BTreeSet<_> = commands.map(|one| one["$ref"].as_str().unwrap()).collect();
    assert_eq!(tried.iter().map(String::as_str).collect::<BTreeSet<_>>(), described);
}

#[test]
fn what_is_watched_is_the_same_again_and_again() {
    let (schema, double) = (Schema::read(), double());
    let mut child = command(&double, &["stats", "--watch", "--json"]);
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    for line in output.lines().take(2) {
        let object = serde_json::from_str(&line.unwrap()).unwrap();
        schema.fault(schema.shape("stats"), &object).unwrap();
    }
    assert_eq!(finish(&double, child).code, 0);
}

/// Every object of the schema, wherever it is.
fn objects(value: &Value) -> Vec<&Value> {
    let inner: Vec<_> = match value {
        Value::Object(object) => object.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    };
    let own = (value["type"] == "object").then_some(value);
    own.into_iter().chain(inner.into_iter().flat_map(objects)).collect()
}

#[test]
fn every_key_is_always_there_and_no_other() {
    let schema = Schema::read();
    let objects = objects(&schema.0);
    assert!(objects.len() > 10, "{objects:?}");
    for object in objects {
        let required: BTreeSet<_> =
            list(&object["required"]).iter().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(required, keys(&object["properties"]).into_iter().map(String::as_str).collect());
        assert_eq!(object["additionalProperties"], false, "{object}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_found() {
    let schema = Schema::read();
    let fault = |json: &str| {
        schema.fault(schema.shape("queue"), &serde_json::from_str(json).unwrap()).unwrap_err()
    };
    assert!(fault(r#"{"paused":1,"in_hand":0}"#).contains("type"));
    assert!(fault(r#"{"paused":true}"#).contains("required"));
    assert!(fault(r#"{"paused":true,"in_hand":-1}"#).contains("minimum"));
    assert!(fault(r#"{"paused":true,"in_hand":0,"out":0}"#).contains("additionalProperties"));
}
