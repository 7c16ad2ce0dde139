#!/usr/bin/env bash
# Chromium 156.0.8078.108: on a page from an insecure address (http:// and no localhost) `AudioWorkletNode` is defined, while
# `AudioContext.prototype.audioWorklet` and `AudioWorklet` are not. The Web Audio API marks all three SecureContext, so the
# usual test, `'AudioWorkletNode' in window`, should say that there are no worklets there; it says that there are, and
# `context.audioWorklet.addModule()` then throws "Cannot read properties of undefined". Ask for
# `'audioWorklet' in BaseAudioContext.prototype`. Needs chromium (Debian 12's package was used); no network.
set -euo pipefail

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
mkdir "$folder/page"
cat > "$folder/page/index.html" <<'HTML'
<body><script>
document.body.textContent = `secure ${isSecureContext}, AudioWorkletNode ${'AudioWorkletNode' in window}, ` +
  `audioWorklet ${'audioWorklet' in BaseAudioContext.prototype}, AudioWorklet ${'AudioWorklet' in window}.`;
</script>
HTML

python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$folder/page" >"$folder/log" 2>&1 &
server=$!
for _ in $(seq 50); do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$folder/log")
    [ -n "$port" ] && break
    sleep 0.1
done

# The same page from localhost, and by a name that this browser alone resolves to it.
seen_from() {
    timeout 60 chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$folder/profile-$1" \
        --host-resolver-rules="MAP elsewhere.test 127.0.0.1" --dump-dom "http://$1:$port/" 2>/dev/null | grep -o 'secure .*\.'
}
chromium --version
secure=$(seen_from 127.0.0.1)
insecure=$(seen_from elsewhere.test)
echo "from localhost: $secure"
echo "from elsewhere: $insecure"
test "$secure" = "secure true, AudioWorkletNode true, audioWorklet true, AudioWorklet true."
test "$insecure" = "secure false, AudioWorkletNode true, audioWorklet false, AudioWorklet false."
echo "As found: AudioWorkletNode is there without worklets."
