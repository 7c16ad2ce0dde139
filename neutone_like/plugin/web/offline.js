// Asks the browser to keep the page, where it may: from https:// or localhost.
export async function keepOffline(files) {
  if (!navigator.serviceWorker) return;
  try {
    const registration = await navigator.serviceWorker.register('service.js');
    await navigator.serviceWorker.ready;
    const cache = await caches.open(`neutone-like ${registration.scope}`);
    await cache.addAll(['./', 'index.html', ...files]);
    document.documentElement.dataset.kept = 'yes';
  } catch (error) {
    console.info(`This page is not kept for offline use: ${error.message}`);
  }
}
