// Secrets in the URL's fragment (`/#login=...`, `/phone#token=...`): browsers send it to no server, and it is taken out of the
// address bar and the history before anything else happens.

/** The value of `name` in a fragment; null: not there. Pure. */
export function in_fragment(hash: string, name: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get(name);
}

export function take_from_fragment(name: string): string | null {
  const value = in_fragment(location.hash, name);
  if (value !== null) history.replaceState(null, '', location.pathname + location.search);
  return value;
}
