// Before the cache, for every request that is not a file: one address for one page.
//
// Another name of the shop is sent to the first one. What campaigns append to addresses changes
// nothing about a page, so it is taken off before the cache looks; the browser keeps it.

const HOST = "@host@";
const TRACKING = @tracking@;

function isTracking(name) {
  return TRACKING.some((prefix) => name.startsWith(prefix));
}

function written(query) {
  const parts = [];
  for (const name in query) {
    const values = query[name].multiValue || [query[name]];
    for (const { value } of values) {
      parts.push(value === "" ? name : `${name}=${value}`);
    }
  }
  return parts.length ? `?${parts.join("&")}` : "";
}

function handler(event) {
  const request = event.request;
  if (request.headers.host.value !== HOST) {
    const isReading = request.method === "GET" || request.method === "HEAD";
    return {
      statusCode: isReading ? 301 : 308,
      statusDescription: isReading ? "Moved Permanently" : "Permanent Redirect",
      headers: {
        location: { value: `https://${HOST}${request.uri}${written(request.querystring)}` },
        "cache-control": { value: "public, max-age=86400" },
      },
    };
  }
  for (const name of Object.keys(request.querystring)) {
    if (isTracking(name)) {
      delete request.querystring[name];
    }
  }
  return request;
}
