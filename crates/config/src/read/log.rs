//! `log`, and the old `loglevel`.

use super::common::sections;
use super::word;
use crate::section::Section;
use crate::tree::Value;
use crate::{ConfigError, LogConfig, LogFormat, LogLevel, Warning};

const LEVELS: [(&str, LogLevel); 4] = [
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];

const FORMATS: [(&str, LogFormat); 3] =
    [("text", LogFormat::Text), ("json", LogFormat::Json), ("logstash", LogFormat::Logstash)];

pub(super) fn read(root: &mut Section, warnings: &mut Vec<Warning>) -> Result<LogConfig, ConfigError> {
    const EXPECTED: &str = "error, warn, info or debug";
    let mut section = root.section("log")?;
    let level = section.parse("level", EXPECTED, |text| word(text, &LEVELS))?;
    let old_level = root.parse("loglevel", EXPECTED, |text| word(text, &LEVELS))?;
    let format = section.parse("formatter", "text, json or logstash", |text| word(text, &FORMATS))?;

    let mut access_log = section.section("accesslog")?;
    let no_access_log = access_log.boolean("disabled")?.unwrap_or(false);
    access_log.finish(warnings);
    let fields = fields(section.section("fields")?, warnings)?;
    hooks(&mut section, warnings)?;
    report_caller(&mut section, warnings)?;
    section.finish(warnings);
    Ok(LogConfig {
        level: level.or(old_level).unwrap_or_default(),
        format: format.unwrap_or_default(),
        fields,
        access_log: !no_access_log,
    })
}

/// Names are the writer's own. A name without a value is left out, and so is one with several, which registry:2 takes.
fn fields(mut section: Section, warnings: &mut Vec<Warning>) -> Result<Vec<(String, String)>, ConfigError> {
    let mut fields = Vec::new();
    for field in section.take_rest() {
        if !matches!(field.node.value, Value::Scalar(_)) {
            warnings.push(field.key.warning("left out: a field of the log is a single text here"));
            continue;
        }
        let name = field.key.name.clone();
        fields.extend(field.text()?.map(|text| (name, text)));
    }
    Ok(fields)
}

fn hooks(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    let key = section.given("hooks");
    let enabled = sections(section, "hooks", "a list of hooks", |hook| hook_is_enabled(hook, warnings))?;
    if let (Some(key), true) = (key, enabled.contains(&true)) {
        warnings.push(key.warning("no effect: Apus sends no mail; let what gathers its log do that"));
    }
    Ok(())
}

fn hook_is_enabled(mut hook: Section, warnings: &mut Vec<Warning>) -> Result<bool, ConfigError> {
    let disabled = hook.boolean("disabled")?.unwrap_or(false);
    hook.text("type")?;
    hook.texts("levels")?;
    let mut options = hook.section("options")?;
    let mut smtp = options.section("smtp")?;
    smtp.text("addr")?;
    smtp.text("username")?;
    smtp.secret("password")?;
    smtp.boolean("insecure")?;
    smtp.finish(warnings);
    options.text("from")?;
    options.texts("to")?;
    options.finish(warnings);
    hook.finish(warnings);
    Ok(!disabled)
}

fn report_caller(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
    let key = section.given("reportcaller");
    if let (Some(true), Some(key)) = (section.boolean("reportcaller")?, key) {
        warnings.push(key.warning("no effect: a line names what happened, not the code that it comes from"));
    }
    Ok(())
}
