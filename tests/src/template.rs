//! What `infra/template.yaml` gives a function: its environment, its memory and the AWS actions it may call.

use std::collections::BTreeSet;

use barometer::calls::Permission;
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

/// The names of all functions.
pub fn functions() -> Result<BTreeSet<String>, yaml_serde::Error> {
    Ok(names(&yaml_serde::from_str(TEMPLATE)?).collect())
}

fn names(root: &Value) -> impl Iterator<Item = String> {
    let resources = root.get("Resources").and_then(Value::as_mapping);
    resources.into_iter().flatten().filter_map(|(_, resource)| {
        at(resource, &["Metadata", "BarometerFunction"]).and_then(Value::as_str).map(str::to_owned)
    })
}

/// Where a function's package lies, from the folder of the template; nothing when the template doesn't say it.
pub fn package(function: &str) -> Result<Option<String>, yaml_serde::Error> {
    let root: Value = yaml_serde::from_str(TEMPLATE)?;
    let own = properties(&root, function).and_then(|own| own.get("CodeUri")).and_then(Value::as_str);
    Ok(own.map(str::to_owned))
}

/// What a function's policy allows.
pub fn permissions(function: &str) -> Result<BTreeSet<Permission>, yaml_serde::Error> {
    let root: Value = yaml_serde::from_str(TEMPLATE)?;
    let policies =
        properties(&root, function).and_then(|own| own.get("Policies")).and_then(Value::as_sequence);
    let statements = policies
        .into_iter()
        .flatten()
        .filter_map(|policy| policy.get("Statement").and_then(Value::as_sequence))
        .flatten();
    let mut permissions = BTreeSet::new();
    for statement in statements {
        let Some(action) = statement.get("Action") else { continue };
        let resource = statement.get("Resource").map(resource).unwrap_or_default();
        let actions = action.as_sequence().map_or(std::slice::from_ref(action), Vec::as_slice);
        let actions = actions.iter().filter_map(Value::as_str);
        permissions.extend(actions.map(|action| Permission::new(action, &resource)));
    }
    Ok(permissions)
}

/// What a policy's resource is called in [`Permission`]; as it stands there when it is none that functions have.
fn resource(value: &Value) -> String {
    let known = match value {
        Value::Tagged(tagged) => match tagged.value.as_str() {
            Some("Table.Arn") => Some("table"),
            Some("${Table.Arn}/index/work") => Some("table/index/work"),
            Some("Bus.Arn") => Some("bus"),
            Some(arn) if arn.contains(":ses:") => Some("mail"),
            _ => None,
        },
        // A mail is sent from an identity and with a configuration set: both are acted on.
        Value::Sequence(several) => several.iter().all(|one| resource(one) == "mail").then_some("mail"),
        _ => None,
    };
    known.map_or_else(|| format!("{value:?}"), str::to_owned)
}

/// The functions that may change or delete items of the table, each with whether it is kept from doing so to the audit.
pub fn changing_functions() -> Result<Vec<(String, bool)>, yaml_serde::Error> {
    let root: Value = yaml_serde::from_str(TEMPLATE)?;
    let changes = |permission: &Permission| {
        ["dynamodb:UpdateItem", "dynamodb:DeleteItem"].contains(&permission.action.as_str())
    };
    let mut found = Vec::new();
    for name in names(&root) {
        if permissions(&name)?.iter().any(changes) {
            let policies =
                properties(&root, &name).and_then(|own| own.get("Policies")).and_then(Value::as_sequence);
            let kept = policies
                .into_iter()
                .flatten()
                .any(|policy| format!("{policy:?}").contains("AuditIsAppendOnly"));
            found.push((name, kept));
        }
    }
    Ok(found)
}

/// The routes of a function that change something, as `PATCH /v1/tasks/{id}`.
pub fn changing_routes(function: &str) -> Result<BTreeSet<String>, yaml_serde::Error> {
    let reads = |route: &String| ["GET ", "HEAD ", "OPTIONS "].iter().any(|method| route.starts_with(method));
    Ok(routes(function)?.into_iter().filter(|route| !reads(route)).collect())
}

/// The routes of a function, as `PATCH /v1/tasks/{id}`.
pub fn routes(function: &str) -> Result<BTreeSet<String>, yaml_serde::Error> {
    let root: Value = yaml_serde::from_str(TEMPLATE)?;
    let events = properties(&root, function).and_then(|own| own.get("Events")).and_then(Value::as_mapping);
    let routes = events.into_iter().flatten().filter_map(|(_, event)| {
        let method = at(event, &["Properties", "Method"])?.as_str()?;
        let path = at(event, &["Properties", "Path"])?.as_str()?;
        Some(format!("{method} {path}"))
    });
    Ok(routes.collect())
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
