{{- define "heliograph.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "heliograph.fullname" -}}
{{- $name := include "heliograph.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Takes (dict "root" $ "component" "api"). */}}
{{- define "heliograph.selector" -}}
app.kubernetes.io/name: {{ include "heliograph.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "heliograph.labels" -}}
{{ include "heliograph.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "heliograph.image" -}}
{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end -}}

{{- define "heliograph.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "heliograph.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* What a process needs to reach the database. */}}
{{- define "heliograph.databaseEnv" -}}
- name: DATABASE_URL
  valueFrom: { secretKeyRef: { name: {{ .Values.existingSecret }}, key: {{ .Values.secretKeys.databaseUrl }} } }
- name: PROVIDERS
  value: {{ ternary "sandbox" "live" .Values.sandbox.enabled }}
{{- end -}}

{{/* Takes (dict "root" $ "own" .Values.api.env). */}}
{{- define "heliograph.env" -}}
{{- $values := .root.Values -}}
{{ include "heliograph.databaseEnv" .root }}
- name: SECRETS_KEY_FILE
  value: /run/secrets/heliograph/secrets.key
- name: SECRETS_OTHER_KEYS
  valueFrom: { secretKeyRef: { name: {{ .root.Values.existingSecret }}, key: {{ .root.Values.secretKeys.otherSecretsKeys }}, optional: true } }
- name: HOST
  value: 0.0.0.0
- name: PORT
  value: '8080'
{{- if eq $values.redis.mode "url" }}
- name: REDIS_URL
  valueFrom: { secretKeyRef: { name: {{ $values.existingSecret }}, key: {{ $values.secretKeys.redisUrl }} } }
{{- else }}
- name: REDIS_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $values.existingSecret }}, key: {{ $values.secretKeys.redisPassword }}, optional: true } }
- name: REDIS_TLS
  value: {{ $values.redis.tls | quote }}
{{- end }}
{{- if eq $values.redis.mode "sentinel" }}
- name: REDIS_SENTINELS
  value: {{ required "redis.sentinels is needed with mode sentinel" $values.redis.sentinels | quote }}
- name: REDIS_SENTINEL_NAME
  value: {{ required "redis.sentinelName is needed with mode sentinel" $values.redis.sentinelName | quote }}
- name: REDIS_SENTINEL_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $values.existingSecret }}, key: {{ $values.secretKeys.redisSentinelPassword }}, optional: true } }
{{- else if eq $values.redis.mode "cluster" }}
- name: REDIS_CLUSTER_NODES
  value: {{ required "redis.clusterNodes is needed with mode cluster" $values.redis.clusterNodes | quote }}
{{- end }}
{{- with $values.certificateAuthorities.redisKey }}
- name: REDIS_CA_FILE
  value: /etc/heliograph/ca/{{ . }}
{{- end }}
{{- range $name, $value := merge (dict) .own $values.env }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{- define "heliograph.mounts" -}}
- { name: tmp, mountPath: /tmp }
- { name: secrets-key, mountPath: /run/secrets/heliograph, readOnly: true }
{{- include "heliograph.caMount" . }}
{{- end -}}

{{- define "heliograph.caMount" -}}
{{- if .Values.certificateAuthorities.existingConfigMap }}
- { name: ca, mountPath: /etc/heliograph/ca, readOnly: true }
{{- end }}
{{- end -}}

{{- define "heliograph.volumes" -}}
- { name: tmp, emptyDir: { sizeLimit: 64Mi } }
- name: secrets-key
  secret:
    secretName: {{ .Values.existingSecret }}
    items: [{ key: {{ .Values.secretKeys.secretsKey }}, path: secrets.key }]
    defaultMode: 0440
{{- include "heliograph.caVolume" . }}
{{- end -}}

{{- define "heliograph.caVolume" -}}
{{- with .Values.certificateAuthorities.existingConfigMap }}
- { name: ca, configMap: { name: {{ . }} } }
{{- end }}
{{- end -}}

{{/* Not to be restarted because PostgreSQL or Redis is away: only readiness looks at those. */}}
{{- define "heliograph.probes" -}}
startupProbe:
  httpGet: { path: /actuator/health/liveness, port: http }
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: { path: /actuator/health/liveness, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /actuator/health/readiness, port: http }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{/* Takes (dict "root" $ "component" "api" "own" .Values.api). */}}
{{- define "heliograph.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .own.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .own.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .own.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "heliograph.selector" . | nindent 8 }}
{{- end -}}
