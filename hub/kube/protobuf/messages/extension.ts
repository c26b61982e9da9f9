/** Webhooks. Facts: generated.proto of the API packages of Kubernetes. */
export const EXTENSION_MESSAGES: Readonly<Record<string, string>> = {
  MatchCondition: 'name:1:string expression:2:string',
  MutatingWebhook:
    'name:1:string clientConfig:2:WebhookClientConfig rules:3:*RuleWithOperations failurePolicy:4:string? matchPolicy:9:string? namespaceSelector:5:LabelSelector objectSelector:11:LabelSelector sideEffects:6:string? timeoutSeconds:7:int32? admissionReviewVersions:8:*string reinvocationPolicy:10:string? matchConditions:12:*MatchCondition',
  MutatingWebhookConfiguration: 'metadata:1:ObjectMeta webhooks:2:*MutatingWebhook',
  Rule: 'apiGroups:1:*string apiVersions:2:*string resources:3:*string scope:4:string?',
  RuleWithOperations: 'operations:1:*string rule:2:^Rule',
  ServiceReference: 'namespace:1:string name:2:string path:3:string? port:4:int32?',
  ValidatingWebhook:
    'name:1:string clientConfig:2:WebhookClientConfig rules:3:*RuleWithOperations failurePolicy:4:string? matchPolicy:9:string? namespaceSelector:5:LabelSelector objectSelector:10:LabelSelector sideEffects:6:string? timeoutSeconds:7:int32? admissionReviewVersions:8:*string matchConditions:11:*MatchCondition',
  ValidatingWebhookConfiguration: 'metadata:1:ObjectMeta webhooks:2:*ValidatingWebhook',
  WebhookClientConfig: 'url:3:string? service:1:ServiceReference caBundle:2:bytes',
}
