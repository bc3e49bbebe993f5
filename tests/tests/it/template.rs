//! `infra/template.yaml` as a whole: everything in it leads somewhere, and nothing can fail without somebody hearing of it.

use std::collections::BTreeSet;

use barometer_cloud::metrics::{Metric, NAMESPACE};
use yaml_serde::Value;

const TEMPLATE: &str = include_str!("../../../infra/template.yaml");

fn template() -> Value {
    yaml_serde::from_str(TEMPLATE).unwrap()
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(*key))
}

fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

fn entries<'a>(value: &'a Value, path: &[&str]) -> Vec<(&'a str, &'a Value)> {
    let fields = at(value, path).and_then(Value::as_mapping).into_iter().flatten();
    fields.map(|(name, value)| (name.as_str().unwrap(), value)).collect()
}

fn of_type<'a>(root: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let all = entries(root, &["Resources"]).into_iter();
    all.filter(|(_, resource)| text(resource, &["Type"]) == kind).collect()
}

fn functions(root: &Value) -> Vec<(&str, &Value)> {
    of_type(root, "AWS::Serverless::Function")
}

fn alarms(root: &Value) -> Vec<(&str, &Value)> {
    of_type(root, "AWS::CloudWatch::Alarm")
}

/// The logical id that `!Ref X` or `!GetAtt X.Arn` names.
fn target(value: &Value) -> &str {
    let Value::Tagged(tagged) = value else { return "" };
    tagged.value.as_str().unwrap_or_default().split('.').next().unwrap_or_default()
}

/// Every logical id that is referred to, by `!Ref`, `!GetAtt` or within `!Sub`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Tagged(tagged) => match (tagged.tag.to_string().trim_start_matches('!'), &tagged.value) {
            ("Ref" | "GetAtt", Value::String(_)) => {
                found.insert(target(value).to_owned());
            }
            ("Sub", Value::String(text)) => {
                let inner = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
                found.extend(inner.filter_map(|name| name.split('.').next()).map(str::to_owned));
            }
            (_, inner) => references(inner, found),
        },
        Value::Sequence(values) => values.iter().for_each(|value| references(value, found)),
        Value::Mapping(fields) => fields.iter().for_each(|(_, value)| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_of_the_template_leads_to_something() {
    let root = template();
    let mut known: BTreeSet<String> = BTreeSet::new();
    known.extend(entries(&root, &["Parameters"]).iter().map(|(name, _)| (*name).to_owned()));
    for (id, resource) in entries(&root, &["Resources"]) {
        known.insert(id.to_owned());
        // SAM makes a rule, a schedule or a mapping of each, named after both.
        known.extend(
            entries(resource, &["Properties", "Events"]).iter().map(|(event, _)| format!("{id}{event}")),
        );
        if text(resource, &["Type"]) == "AWS::Serverless::HttpApi" {
            known.insert(format!("{id}ApiGatewayDefaultStage"));
        }
    }
    let mut found = BTreeSet::new();
    references(&root, &mut found);
    found.retain(|name| !name.starts_with("AWS::"));
    let lost: Vec<_> = found.difference(&known).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// What rules give up on: the rule's logical id and the queue's.
fn given_up(root: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (id, function) in functions(root) {
        for (event, trigger) in entries(function, &["Properties", "Events"]) {
            if text(trigger, &["Type"]) == "EventBridgeRule" {
                let queue = at(trigger, &["Properties", "DeadLetterConfig", "Arn"]).map_or("", target);
                found.push((format!("{id}{event}"), queue.to_owned()));
            }
        }
    }
    for (id, rule) in of_type(root, "AWS::Events::Rule") {
        for goal in at(rule, &["Properties", "Targets"]).and_then(Value::as_sequence).into_iter().flatten() {
            let queue = at(goal, &["DeadLetterConfig", "Arn"]).map_or("", target);
            found.push((id.to_owned(), queue.to_owned()));
        }
    }
    found
}

#[test]
fn every_rule_of_the_template_may_write_to_its_dead_letters() {
    let root = template();
    let policies = of_type(&root, "AWS::SQS::QueuePolicy");
    let given_up = given_up(&root);
    assert!(given_up.len() > 2, "{given_up:?}");
    for (rule, queue) in given_up {
        let allowed = policies.iter().any(|(_, policy)| {
            let statements = at(policy, &["Properties", "PolicyDocument", "Statement"]);
            statements.and_then(Value::as_sequence).into_iter().flatten().any(|statement| {
                let source = at(statement, &["Condition", "ArnEquals", "aws:SourceArn"]).map_or("", target);
                let to = at(statement, &["Resource"]).map_or("", target);
                (source, to) == (rule.as_str(), queue.as_str())
            })
        });
        assert!(allowed, "{rule} has no leave to put anything into {queue:?}");
    }
}

#[test]
fn every_function_of_the_template_says_its_limits_and_keeps_its_log() {
    let root = template();
    let logs = of_type(&root, "AWS::Logs::LogGroup");
    for (id, function) in functions(&root) {
        for limit in ["MemorySize", "Timeout"] {
            assert!(at(function, &["Properties", limit]).is_some(), "{id}: {limit}");
        }
        let log = at(function, &["Properties", "LoggingConfig", "LogGroup"]).map_or("", target);
        let kept = logs
            .iter()
            .find(|(name, _)| *name == log)
            .and_then(|(_, log)| at(log, &["Properties", "RetentionInDays"]));
        assert!(kept.is_some(), "{id} has no log group that says how long it is kept");
    }
}

/// The metrics of an alarm, each with the logical id of what it watches.
fn watched(alarm: &Value) -> Vec<(String, String)> {
    let of = |metric: &Value| {
        let dimensions = metric.get("Dimensions").and_then(Value::as_sequence).into_iter().flatten();
        let subjects: Vec<_> = dimensions.filter_map(|one| one.get("Value")).map(target).collect();
        (text(metric, &["MetricName"]).to_owned(), subjects.concat())
    };
    let properties = alarm.get("Properties").unwrap();
    let several = properties.get("Metrics").and_then(Value::as_sequence).into_iter().flatten();
    let mut found: Vec<_> =
        several.filter_map(|metric| at(metric, &["MetricStat", "Metric"])).map(of).collect();
    found.push(of(properties));
    found
}

#[test]
fn every_function_and_queue_of_the_template_has_its_alarms() {
    let root = template();
    let watched: Vec<_> = alarms(&root).iter().flat_map(|(_, alarm)| watched(alarm)).collect();
    let watches = |metric: &str, id: &str| watched.iter().any(|(m, i)| m == metric && i == id);
    for (id, _) in functions(&root) {
        assert!(watches("Errors", id), "{id}: errors");
        assert!(watches("Throttles", id) || watches("AsyncEventAge", id), "{id}: throttles");
    }
    for (id, queue) in of_type(&root, "AWS::SQS::Queue") {
        let is_worked_on = at(queue, &["Properties", "RedrivePolicy"]).is_some();
        let metric =
            if is_worked_on { "ApproximateAgeOfOldestMessage" } else { "ApproximateNumberOfMessagesVisible" };
        assert!(watches(metric, id), "{id}: {metric}");
    }
}

#[test]
fn every_alarm_of_the_template_is_told_to_the_topic() {
    let root = template();
    for (id, alarm) in alarms(&root) {
        for actions in ["AlarmActions", "OKActions"] {
            let told = at(alarm, &["Properties", actions]).and_then(Value::as_sequence).unwrap();
            assert_eq!(told.iter().map(target).collect::<Vec<_>>(), ["AlarmTopic"], "{id}: {actions}");
        }
    }
}

#[test]
fn what_nobody_waits_for_is_tried_again_and_then_kept() {
    let root = template();
    for (id, function) in functions(&root) {
        for (event, trigger) in entries(function, &["Properties", "Events"]) {
            let kind = text(trigger, &["Type"]);
            if kind == "HttpApi" || kind == "SQS" {
                continue;
            }
            for path in [["RetryPolicy", "MaximumRetryAttempts"], ["DeadLetterConfig", "Arn"]] {
                let there = at(trigger, &["Properties", path[0], path[1]]).is_some();
                assert!(there, "{id}.{event}: {path:?}");
            }
            let on_failure = ["Properties", "EventInvokeConfig", "DestinationConfig", "OnFailure"];
            assert!(at(function, &on_failure).is_some(), "{id}: {on_failure:?}");
        }
    }
}

#[test]
fn every_schedule_of_the_template_passes_its_time_and_is_exact() {
    let root = template();
    for (id, function) in functions(&root) {
        for (event, trigger) in entries(function, &["Properties", "Events"]) {
            if text(trigger, &["Type"]) == "ScheduleV2" {
                let input = text(trigger, &["Properties", "Input"]);
                assert!(input.contains("<aws.scheduler.scheduled-time>"), "{id}.{event}: {input}");
                assert_eq!(
                    text(trigger, &["Properties", "FlexibleTimeWindow", "Mode"]),
                    "OFF",
                    "{id}.{event}"
                );
            }
        }
    }
}

/// Lambda's documentation asks for it: a message isn't given to a second worker while one is at it.
#[test]
fn a_message_is_hidden_for_six_times_its_functions_time() {
    let root = template();
    let queues = of_type(&root, "AWS::SQS::Queue");
    let mut seen = 0;
    for (id, function) in functions(&root) {
        let timeout = at(function, &["Properties", "Timeout"]).and_then(Value::as_u64).unwrap();
        for (_, trigger) in entries(function, &["Properties", "Events"]) {
            let Some(queue) = at(trigger, &["Properties", "Queue"]).map(target) else { continue };
            let (_, queue) = queues.iter().find(|(name, _)| *name == queue).unwrap();
            let hidden = at(queue, &["Properties", "VisibilityTimeout"]).and_then(Value::as_u64).unwrap();
            assert!(hidden >= 6 * timeout, "{id}: {hidden} s for a function of {timeout} s");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(values) => values.iter().flat_map(strings).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// What the statements allow, each action with each resource as it is written.
fn allowed<'a>(statements: impl Iterator<Item = &'a Value>) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for statement in statements {
        let resources = statement.get("Resource").unwrap();
        let resources = resources.as_sequence().cloned().unwrap_or_else(|| vec![resources.clone()]);
        for action in statement.get("Action").map(strings).unwrap() {
            found.extend(resources.iter().map(|resource| (action.clone(), format!("{resource:?}"))));
        }
    }
    found
}

#[test]
fn the_boundary_of_the_template_lets_every_function_do_what_its_role_allows() {
    let root = template();
    let list = |value: Option<&Value>| value.and_then(Value::as_sequence).cloned().unwrap_or_default();
    assert_eq!(
        at(&root, &["Globals", "Function", "PermissionsBoundary"]).map(target),
        Some("FunctionBoundary")
    );
    let boundary = at(&root, &["Resources", "FunctionBoundary", "Properties", "PolicyDocument", "Statement"]);
    let most = allowed(list(boundary).iter());
    for (id, function) in functions(&root) {
        let policies = list(at(function, &["Properties", "Policies"]));
        let statements: Vec<_> = policies.iter().flat_map(|policy| list(policy.get("Statement"))).collect();
        let own = allowed(statements.iter());
        assert!(!own.is_empty(), "{id}");
        let beyond: Vec<_> = own.difference(&most).collect();
        assert!(beyond.is_empty(), "{id}: {beyond:?}");
    }
}

#[test]
fn the_alarms_of_the_template_watch_metrics_that_are_written() {
    let root = template();
    let known = Metric::ALL.map(Metric::as_str);
    let mut seen = 0;
    for (id, alarm) in alarms(&root) {
        let several =
            at(alarm, &["Properties", "Metrics"]).and_then(Value::as_sequence).into_iter().flatten();
        for metric in several.filter_map(|metric| at(metric, &["MetricStat", "Metric"])) {
            if text(metric, &["Namespace"]) == NAMESPACE {
                let name = text(metric, &["MetricName"]);
                assert!(known.contains(&name), "{id}: {name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 0);
    // The dashboard's are text.
    let body = &at(&root, &["Resources", "Overview", "Properties", "DashboardBody"]).unwrap();
    let Value::Tagged(body) = body else { panic!("{body:?}") };
    let body: serde_json::Value = serde_json::from_str(body.value.as_str().unwrap()).unwrap();
    let shown = body.to_string();
    for name in known.iter().filter(|name| **name != "overdue") {
        let quoted = [format!("\\\"{name}\\\""), format!("\"Barometer\",\"{name}\"")];
        assert!(quoted.iter().any(|quoted| shown.contains(quoted)), "{name} isn't on the dashboard");
    }
}

/// Headings are an alarm's id, or `…` and how the ids of a kind end.
#[test]
fn every_alarm_of_the_template_has_a_section_in_the_runbook() {
    let headings: Vec<&str> = include_str!("../../../infra/RUNBOOK.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'))
        .collect();
    let root = template();
    let covers = |heading: &str, id: &str| match heading.strip_prefix('…') {
        Some(end) => id.ends_with(end),
        None => id == heading,
    };
    for (id, _) in alarms(&root) {
        assert!(headings.iter().any(|heading| covers(heading, id)), "{id} has no section");
    }
    for heading in headings {
        assert!(alarms(&root).iter().any(|(id, _)| covers(heading, id)), "{heading}: no alarm is called so");
    }
}
