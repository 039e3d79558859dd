//! What commands print that add an event to what others told.

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::text;
use serde_json::Value;

/// The event that was made, and who signed it.
pub(crate) fn said(global: &Global, event: &Value) -> Result<(), Failure> {
    global.output().print(event, || {
        let signer = text(event, "/signer/name");
        format!("Event {} ({}), signed by {signer}, is in the log.", text(event, "/id"), text(event, "/kind"))
    })?;
    Ok(())
}

/// Puts a text into a command's body, where it was given.
pub(crate) fn set(body: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}

/// A measured value as people type it: `-18.5 CEL` or `0.02 mg/kg`.
pub(crate) fn measure(text: &str) -> Result<Value, Failure> {
    let wrong = || {
        let message = format!("'{text}' is no measured value; write number and unit such as '-18.5 CEL'");
        Failure::new(crate::failure::Exit::BadInput, message)
    };
    let (value, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    if value.is_empty() || unit.trim().is_empty() {
        return Err(wrong());
    }
    Ok(serde_json::json!({ "value": value, "unit": unit.trim() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn measured_values_are_read() {
        assert_eq!(measure("-18.5 CEL").unwrap(), json!({ "value": "-18.5", "unit": "CEL" }));
        assert_eq!(measure("0.02  mg/kg").unwrap(), json!({ "value": "0.02", "unit": "mg/kg" }));
        assert!(measure("12").is_err() && measure(" ").is_err());
    }
}
