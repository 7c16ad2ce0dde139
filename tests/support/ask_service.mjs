// node ask_service.mjs SERVICE.js SCOPE <ASKED.json >TOLD.json: a page's service worker in Node, with a cache that does as
// browsers' do. ASKED is a list of { url, method, range, status (null: there is no network), full (the cache takes nothing) };
// TOLD says of each whether the worker answered and with which status, or the error, and what the cache holds in the end.
import fs from 'node:fs';
import vm from 'node:vm';

const [file, scope] = process.argv.slice(2);
const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const kept = new Map();
const handlers = {};
let now;

const place = request => (typeof request === 'string' ? request : request.url);
const cache = {
  put: async (request, response) => {
    if (now.full) throw new Error('QuotaExceededError');
    if (response.status === 206) throw new TypeError('Partial response (status code 206) is unsupported');
    kept.set(place(request), response);
  },
  match: async request => kept.get(place(request))?.clone(),
};
const fetched = async () => {
  if (now.status === null) throw new TypeError('Failed to fetch');
  return new Response('content', { status: now.status });
};
const self = { registration: { scope }, addEventListener: (type, handler) => { handlers[type] = handler; } };
vm.runInNewContext(fs.readFileSync(file, 'utf8'), { self, URL, Set, caches: { open: async () => cache }, fetch: fetched });

const told = [];
for (now of asked) {
  const request = new Request(now.url, { method: now.method ?? 'GET', headers: now.range ? { range: now.range } : {} });
  let answer = null;
  handlers.fetch({ request, respondWith: given => { answer = given; } });
  told.push(answer && (await answer.then(response => response.status, error => String(error))));
}
console.log(JSON.stringify({ told, kept: [...kept.keys()] }));
