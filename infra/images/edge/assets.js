// Objects lie in their bucket without the "/assets" of their public address.

function handler(event) {
  const request = event.request;
  request.uri = request.uri.slice("/assets".length);
  return request;
}
