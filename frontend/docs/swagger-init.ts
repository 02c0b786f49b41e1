// Starts Swagger UI on the page /api/docs. The bundle before it defines SwaggerUIBundle.

declare function SwaggerUIBundle(options: object): void;

const place = document.querySelector<HTMLElement>("[data-openapi]");
if (place) {
  SwaggerUIBundle({
    domNode: place,
    url: place.dataset.openapi,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: false,
    validatorUrl: null,
  });
}
