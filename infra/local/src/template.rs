//! Reads `infra/template.yaml`: which routes, schedules and rules lead to which function. The same file is
//! what AWS deploys; it is built into the binary.

use http::Method;
use serde::Deserialize;
use thiserror::Error;
use yaml_serde::Value;

use crate::pattern::{Pattern, PatternError};
use crate::schedule::{Expression, ScheduleError};

const TEMPLATE: &str = include_str!("../../template.yaml");
/// What EventBridge Scheduler replaces in a schedule's input.
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// Why a template can't be used.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// Not YAML, or an event whose properties have another form.
    #[error("{place}")]
    Yaml {
        /// Logical id.
        place: String,
        /// What the parser says.
        source: yaml_serde::Error,
    },
    /// A function that doesn't say which handler it is.
    #[error("{0}: Metadata.BarometerFunction is missing")]
    Unnamed(String),
    /// A kind of event that the home doesn't deliver.
    #[error("{place}: event type {kind} is not known here")]
    EventType {
        /// Logical ids of function and event.
        place: String,
        /// The SAM type.
        kind: String,
    },
    /// A schedule that can't be read.
    #[error("{place}")]
    Schedule {
        /// Logical ids of function and event.
        place: String,
        /// What is wrong.
        source: ScheduleError,
    },
    /// A schedule in a time zone other than UTC.
    #[error("{0}: schedules run in UTC here")]
    TimeZone(String),
    /// A schedule's input that isn't JSON.
    #[error("{place}: Input is not JSON")]
    Input {
        /// Logical ids of function and event.
        place: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A method that HTTP doesn't have.
    #[error("{place}: {method:?} is not a method")]
    Method {
        /// Logical ids of function and event.
        place: String,
        /// What was given.
        method: String,
    },
    /// A rule's pattern that can't be read.
    #[error("{place}")]
    Pattern {
        /// Logical ids of function and event.
        place: String,
        /// What is wrong.
        source: PatternError,
    },
    /// A queue that isn't there, or that would give a message again for ever.
    #[error("{place}: {problem}")]
    Queue {
        /// Logical ids of function and event, or of the queue.
        place: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// The functions, in the template's order.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Each with what triggers it.
    pub functions: Vec<Function>,
}

/// One function and its triggers.
#[derive(Debug, Clone)]
pub struct Function {
    /// The crate's name, such as `score-week`.
    pub name: String,
    /// HTTP routes.
    pub routes: Vec<Route>,
    /// Schedules.
    pub schedules: Vec<Schedule>,
    /// Rules on the bus.
    pub rules: Vec<Pattern>,
    /// Queues that it takes messages from.
    pub queues: Vec<Queue>,
}

/// A queue, and which events of the default bus go into it.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Logical id.
    pub id: String,
    /// How many messages the function is given at once, at most.
    pub batch: usize,
    /// How often a message is given before it is dead.
    pub most_receives: u32,
    rules: Vec<Pattern>,
}

impl Queue {
    /// Whether a rule puts this event into the queue.
    #[must_use]
    pub fn takes(&self, event: &serde_json::Value) -> bool {
        self.rules.iter().any(|rule| rule.matches(event))
    }
}

/// One HTTP route.
#[derive(Debug, Clone)]
pub struct Route {
    /// `None` is `ANY`.
    pub method: Option<Method>,
    /// With `{parameters}`; `$default` is the catch-all.
    pub path: String,
}

/// One schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Logical ids of function and event, which name it across restarts.
    pub id: String,
    /// When it is due.
    pub expression: Expression,
    input: String,
}

impl Schedule {
    /// The event of the run that is due at `due`.
    ///
    /// # Errors
    /// When the input isn't JSON, which reading the template has already ruled out.
    pub fn event(&self, due: chrono::DateTime<chrono::Utc>) -> Result<serde_json::Value, serde_json::Error> {
        let due = due.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        serde_json::from_str(&self.input.replace(SCHEDULED_TIME, &due))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HttpApi {
    #[serde(default = "default_path")]
    path: String,
    #[serde(default = "any_method")]
    method: String,
}

fn default_path() -> String {
    "$default".to_owned()
}

fn any_method() -> String {
    "ANY".to_owned()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sqs {
    queue: Value,
    #[serde(default = "default_batch")]
    batch_size: usize,
    #[serde(default)]
    function_response_types: Vec<String>,
}

fn default_batch() -> usize {
    10
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleV2 {
    schedule_expression: String,
    schedule_expression_timezone: Option<String>,
    #[serde(default = "no_input")]
    input: String,
}

fn no_input() -> String {
    "{}".to_owned()
}

impl Template {
    /// The template that this program was built with.
    ///
    /// # Errors
    /// When the home can't do what the template asks for.
    pub fn built_in() -> Result<Self, TemplateError> {
        Self::parse(TEMPLATE)
    }

    /// Reads a SAM template.
    ///
    /// # Errors
    /// When the home can't do what the template asks for.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let root: Value = yaml_serde::from_str(text)
            .map_err(|source| TemplateError::Yaml { place: "template".to_owned(), source })?;
        let mut template = Self::default();
        let resources = root.get("Resources");
        for (id, resource) in entries(resources) {
            if text_of(resource.get("Type")) == Some("AWS::Serverless::Function") {
                template.functions.push(function(id, resource, resources)?);
            }
        }
        Ok(template)
    }
}

fn function(id: &str, resource: &Value, resources: Option<&Value>) -> Result<Function, TemplateError> {
    let name = resource
        .get("Metadata")
        .and_then(|metadata| text_of(metadata.get("BarometerFunction")))
        .ok_or_else(|| TemplateError::Unnamed(id.to_owned()))?;
    let mut function = Function {
        name: name.to_owned(),
        routes: Vec::new(),
        schedules: Vec::new(),
        rules: Vec::new(),
        queues: Vec::new(),
    };
    for (event_id, event) in entries(resource.get("Properties").and_then(|p| p.get("Events"))) {
        let place = format!("{id}.{event_id}");
        let properties = event.get("Properties").cloned().unwrap_or(Value::Null);
        match text_of(event.get("Type")).unwrap_or_default() {
            "HttpApi" => function.routes.push(route(place, properties)?),
            "ScheduleV2" => function.schedules.push(schedule(place, properties)?),
            "EventBridgeRule" => function.rules.push(rule(place, &properties)?),
            "SQS" => function.queues.push(queue(place, properties, resources)?),
            kind => return Err(TemplateError::EventType { place, kind: kind.to_owned() }),
        }
    }
    Ok(function)
}

fn route(place: String, properties: Value) -> Result<Route, TemplateError> {
    let HttpApi { path, method } = read(&place, properties)?;
    let method = match method.to_ascii_uppercase().as_str() {
        "ANY" => None,
        known => Some(known.parse().map_err(|_| TemplateError::Method { place, method: method.clone() })?),
    };
    Ok(Route { method, path })
}

fn schedule(place: String, properties: Value) -> Result<Schedule, TemplateError> {
    let ScheduleV2 { schedule_expression, schedule_expression_timezone, input } = read(&place, properties)?;
    if schedule_expression_timezone.is_some_and(|zone| zone != "UTC") {
        return Err(TemplateError::TimeZone(place));
    }
    if let Err(source) = serde_json::from_str::<serde_json::Value>(&input) {
        return Err(TemplateError::Input { place, source });
    }
    match Expression::parse(&schedule_expression) {
        Ok(expression) => Ok(Schedule { id: place, expression, input }),
        Err(source) => Err(TemplateError::Schedule { place, source }),
    }
}

fn rule(place: String, properties: &Value) -> Result<Pattern, TemplateError> {
    let pattern: serde_json::Value = read(&place, properties.get("Pattern").cloned().unwrap_or(Value::Null))?;
    Pattern::parse(pattern).map_err(|source| TemplateError::Pattern { place, source })
}

fn queue(place: String, properties: Value, resources: Option<&Value>) -> Result<Queue, TemplateError> {
    let Sqs { queue, batch_size, function_response_types } = read(&place, properties)?;
    let failed = |problem| TemplateError::Queue { place: place.clone(), problem };
    if !function_response_types.iter().any(|kind| kind == "ReportBatchItemFailures") {
        return Err(failed("a function says which messages failed here: ReportBatchItemFailures"));
    }
    let id = refers_to(&queue).ok_or_else(|| failed("Queue is no !GetAtt of a queue"))?;
    let resource = resources.and_then(|resources| resources.get(id));
    let redrive =
        resource.and_then(|queue| queue.get("Properties")?.get("RedrivePolicy")?.get("maxReceiveCount"));
    let most_receives = redrive.and_then(Value::as_u64).and_then(|most| u32::try_from(most).ok());
    let most_receives = most_receives.ok_or_else(|| failed("the queue has no RedrivePolicy"))?;
    let mut rules = Vec::new();
    for (rule_id, rule) in entries(resources) {
        let is_rule = text_of(rule.get("Type")) == Some("AWS::Events::Rule");
        let Some(properties) = rule.get("Properties").filter(|_| is_rule) else { continue };
        let targets = properties.get("Targets").and_then(Value::as_sequence).into_iter().flatten();
        if !targets.filter_map(|target| refers_to(target.get("Arn")?)).any(|target| target == id) {
            continue;
        }
        if properties.get("EventBusName").is_some() {
            return Err(failed("only rules of the default bus lead to a queue here"));
        }
        let pattern = resolved(properties.get("EventPattern").unwrap_or(&Value::Null))
            .ok_or_else(|| failed("the pattern of a rule to this queue can't be read"))?;
        let place = rule_id.to_owned();
        rules.push(Pattern::parse(pattern).map_err(|source| TemplateError::Pattern { place, source })?);
    }
    Ok(Queue { id: id.to_owned(), batch: batch_size.max(1), most_receives, rules })
}

/// The logical id in `!GetAtt <id>.<attribute>`.
fn refers_to(value: &Value) -> Option<&str> {
    let Value::Tagged(tagged) = value else { return None };
    let (id, _) = tagged.value.as_str()?.split_once('.')?;
    (tagged.tag == "GetAtt").then_some(id)
}

/// As JSON. Whatever is referred to has its logical id for a name here.
fn resolved(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::Tagged(tagged) if tagged.tag == "Ref" => tagged.value.as_str()?.into(),
        Value::Tagged(_) => return None,
        Value::Sequence(values) => values.iter().map(resolved).collect::<Option<Vec<_>>>()?.into(),
        Value::Mapping(fields) => {
            let fields =
                fields.iter().map(|(name, value)| Some((name.as_str()?.to_owned(), resolved(value)?)));
            fields.collect::<Option<serde_json::Map<_, _>>>()?.into()
        }
        plain => yaml_serde::from_value(plain.clone()).ok()?,
    })
}

fn read<T: serde::de::DeserializeOwned>(place: &str, value: Value) -> Result<T, TemplateError> {
    yaml_serde::from_value(value).map_err(|source| TemplateError::Yaml { place: place.to_owned(), source })
}

fn text_of(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_mapping).into_iter().flatten().filter_map(|(k, v)| Some((k.as_str()?, v)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barometer_cloud::lambda::Chain;

    #[test]
    fn the_built_in_template_names_every_function_each_with_a_trigger() {
        let template = Template::built_in().unwrap();
        let mut names: Vec<&str> = template.functions.iter().map(|f| f.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "arrange-portfolio",
                "dashboard",
                "erase-users",
                "ingest-events",
                "perform-actions",
                "portfolio",
                "publish-changes",
                "react",
                "request-feedback",
                "roll-up-month",
                "score-week",
                "send-digest",
                "submit-feedback",
                "track-mail",
                "update-status"
            ]
        );
        for function in &template.functions {
            let events = function.schedules.len() + function.rules.len() + function.queues.len();
            let triggers = function.routes.len() + events;
            assert!(triggers > 0, "{} has no trigger", function.name);
        }
    }

    #[test]
    fn every_schedule_passes_its_instant() {
        let due = "2026-09-07T00:15:00Z".parse().unwrap();
        for schedule in Template::built_in().unwrap().functions.iter().flat_map(|f| &f.schedules) {
            let event = schedule.event(due).unwrap();
            assert_eq!(
                event,
                serde_json::json!({"scheduled_time": "2026-09-07T00:15:00Z"}),
                "{}",
                schedule.id
            );
            assert!(schedule.expression.next_after(due).is_some());
        }
    }

    #[test]
    fn the_mails_events_go_through_their_queue_to_one_function() {
        let template = Template::built_in().unwrap();
        let track = template.functions.iter().find(|f| f.name == "track-mail").unwrap();
        let queue = &track.queues[0];
        assert_eq!((queue.id.as_str(), queue.batch, queue.most_receives), ("MailEvents", 10, 5));
        let event = |source: &str, set: &str| {
            let tags = serde_json::json!({"ses:configuration-set": [set]});
            serde_json::json!({"source": source, "detail": {"mail": {"tags": tags}}})
        };
        assert!(queue.takes(&event("aws.ses", "MailConfiguration")));
        assert!(!queue.takes(&event("aws.ses", "Newsletter")));
        assert!(!queue.takes(&event("barometer", "MailConfiguration")));
    }

    #[test]
    fn short_tags_and_foreign_resources_are_passed_over() {
        let template = Template::parse(
            r#"
            Resources:
              Table: {Type: "AWS::DynamoDB::Table", Properties: {TableName: !Sub "${AWS::StackName}"}}
              Api:
                Type: AWS::Serverless::Function
                Metadata: {BarometerFunction: api}
                Properties:
                  Role: !GetAtt Role.Arn
                  FunctionName: !If [A, !Ref B, !Sub "x"]
                  Events:
                    All: {Type: HttpApi, Properties: {ApiId: !Ref Http}}
                    One: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: "/a/{b}", Method: get}}
                    Told:
                      Type: EventBridgeRule
                      Properties: {EventBusName: !Ref Bus, Pattern: {source: [barometer], detail-type: [a, b]}}
            "#,
        )
        .unwrap();
        let api = &template.functions[0];
        assert_eq!(api.routes.len(), 2);
        assert_eq!(api.routes[0].path, "$default");
        assert_eq!(api.routes[1].method, Some(Method::GET));
        let event = |kind| serde_json::json!({"source": "barometer", "detail-type": kind});
        assert!(api.rules[0].matches(&event("a")));
        assert!(!api.rules[0].matches(&event("c")));
    }

    #[test]
    fn what_the_home_cannot_do_is_said() {
        let with = |event: &str| {
            Template::parse(&format!(
                "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata: {{BarometerFunction: f}}\n    \
                 Properties:\n      Events:\n        E: {event}\n"
            ))
            .unwrap_err()
        };
        let with = |event: &str| Chain(&with(event)).to_string();
        assert!(with("{Type: SNS, Properties: {}}").contains("F.E: event type SNS"));
        assert!(with("{Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}").contains("ReportBatchItemFailures"));
        let reports = "FunctionResponseTypes: [ReportBatchItemFailures]";
        assert!(with(&format!("{{Type: SQS, Properties: {{Queue: q, {reports}}}}}")).contains("GetAtt"));
        assert!(
            with(&format!("{{Type: SQS, Properties: {{Queue: !GetAtt Q.Arn, {reports}}}}}"))
                .contains("Redrive")
        );
        assert!(with("{Type: ScheduleV2, Properties: {ScheduleExpression: daily}}").starts_with("F.E: "));
        let zone = "ScheduleExpressionTimezone: Europe/Paris";
        assert!(
            with(&format!("{{Type: ScheduleV2, Properties: {{ScheduleExpression: rate(1 day), {zone}}}}}"))
                .contains("UTC")
        );
    }
}
