//! Where files that outlive a run are kept.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The cache: `$KCONFORM_CACHE`, else `kconform` in the XDG cache directory, else in the temporary
/// directory.
pub(crate) fn cache() -> PathBuf {
    cache_from(|name| env::var_os(name))
}

/// The per-user state: `kconform` in the XDG state directory, else in the temporary directory.
pub(crate) fn state() -> PathBuf {
    state_from(|name| env::var_os(name))
}

fn cache_from(var: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    if let Some(own) = var("KCONFORM_CACHE").filter(|value| !value.is_empty()) {
        return PathBuf::from(own);
    }
    xdg(&var, "XDG_CACHE_HOME", ".cache").unwrap_or_else(|| env::temp_dir().join("kconform-cache"))
}

fn state_from(var: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    xdg(&var, "XDG_STATE_HOME", ".local/state").unwrap_or_else(|| {
        let user = var("USER").and_then(|name| name.into_string().ok()).unwrap_or_default();
        env::temp_dir().join(format!("kconform-state-{}", user.replace('/', "_")))
    })
}

/// The specification wants relative paths in its variables ignored.
fn xdg(var: &impl Fn(&str) -> Option<OsString>, name: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| var(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(name)
        .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
        .map(|dir| dir.join("kconform"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    }

    #[test]
    fn the_own_variable_wins_over_xdg_and_xdg_over_home() {
        let all = &[("KCONFORM_CACHE", "/own"), ("XDG_CACHE_HOME", "/xdg"), ("HOME", "/home/u")];
        assert_eq!(cache_from(vars(all)), PathBuf::from("/own"));
        assert_eq!(cache_from(vars(&all[1..])), PathBuf::from("/xdg/kconform"));
        assert_eq!(cache_from(vars(&all[2..])), PathBuf::from("/home/u/.cache/kconform"));
        assert_eq!(state_from(vars(&all[2..])), PathBuf::from("/home/u/.local/state/kconform"));
    }

    #[test]
    fn relative_and_missing_variables_fall_through() {
        assert_eq!(
            cache_from(vars(&[("XDG_CACHE_HOME", "xdg"), ("HOME", "/h")])),
            PathBuf::from("/h/.cache/kconform")
        );
        assert_eq!(
            state_from(vars(&[("USER", "a/b")])),
            env::temp_dir().join("kconform-state-a_b")
        );
    }
}
