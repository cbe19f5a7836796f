//! Presets: the configuration for receivers that many people have.

use clap::ValueEnum;

/// A receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// ntfy: JSON posted to the server's root.
    Ntfy,
    /// Gotify.
    Gotify,
    /// Slack, Mattermost, Rocket.Chat, and Discord below `/slack`.
    Slack,
    /// Home Assistant: a webhook as the trigger of an automation.
    HomeAssistant,
}

impl Preset {
    /// What is to be put into `bowline.toml`.
    pub const fn text(self) -> &'static str {
        match self {
            Preset::Ntfy => include_str!("presets/ntfy.toml"),
            Preset::Gotify => include_str!("presets/gotify.toml"),
            Preset::Slack => include_str!("presets/slack.toml"),
            Preset::HomeAssistant => include_str!("presets/home-assistant.toml"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn presets_are_configurations() {
        for preset in Preset::value_variants() {
            let text = format!("url = \"https://u.example.org\"\n{}", preset.text());
            let config = Config::parse(Path::new("f"), &text);
            assert!(
                config.is_ok_and(|config| config.notify.webhook.is_some()),
                "{preset:?}"
            );
        }
    }
}
