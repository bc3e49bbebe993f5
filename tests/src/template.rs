//! What `infra/template.yaml` gives a function: its environment, its memory and the AWS actions it may call.

use std::collections::BTreeSet;

use yaml_serde::Value;

const TEMPLATE: &str = include_str!("../../infra/template.yaml");

/// The names of the environment variables that the template sets for a function. A variable whose value is an
/// `!If` with `AWS::NoValue` counts as not set: a function must start without it.
pub fn environment(function: &str) -> Result<BTreeSet<String>, yaml_serde::Error> {
    let root: Value = yaml_serde::from_str(TEMPLATE)?;
    let globals = at(&root, &["Globals", "Function", "Environment", "Variables"]);
    let own = properties(&root, function).and_then(|own| at(own, &["Environment", "Variables"]));
    let variables = [globals, own].into_iter().flatten().filter_map(Value::as_mapping).flatten();
    Ok(variables
        .filter(|(_, value)| !format!("{value:?}").contains("AWS::NoValue"))
        .filter_map(|(name, _)| name.as_str().map(str::to_owned))
        .collect())
}

/// The actions of a function's policy.
pub fn actions(function: &str) -> Result<BTreeSet<String>, yaml_serde::Error> {
    let root: Value = yaml_serde::from_str(TEMPLATE)?;
    let policies =
        properties(&root, function).and_then(|own| own.get("Policies")).and_then(Value::as_sequence);
    let statements = policies
        .into_iter()
        .flatten()
        .filter_map(|policy| policy.get("Statement").and_then(Value::as_sequence))
        .flatten();
    let mut actions = BTreeSet::new();
    for action in statements.filter_map(|statement| statement.get("Action")) {
        match action.as_sequence() {
            Some(several) => actions.extend(several.iter().filter_map(Value::as_str).map(str::to_owned)),
            None => actions.extend(action.as_str().map(str::to_owned)),
        }
    }
    Ok(actions)
}

/// The memory of a function, in bytes; nothing when the template doesn't say it.
pub fn memory(function: &str) -> Result<Option<u64>, yaml_serde::Error> {
    let root: Value = yaml_serde::from_str(TEMPLATE)?;
    let size = properties(&root, function).and_then(|own| own.get("MemorySize")).and_then(Value::as_u64);
    Ok(size.map(|megabytes| megabytes * 1024 * 1024))
}

fn properties<'a>(root: &'a Value, function: &str) -> Option<&'a Value> {
    let resources = root.get("Resources")?.as_mapping()?;
    let (_, resource) = resources.iter().find(|(_, resource)| {
        at(resource, &["Metadata", "BarometerFunction"]).and_then(Value::as_str) == Some(function)
    })?;
    resource.get("Properties")
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(*key))
}
