#!/bin/sh
# Looks whether a service is well, again and again, as monitoring does: a curl for each look. ONE=1: one curl for all.
url=${URL:-http://service.example/health}
looks=${LOOKS:-150}
failed=0
if [ "${ONE:-0}" = 1 ]; then
  curl --silent --show-error --output /dev/null "$url?[1-$looks]" || failed=$looks
else
  i=0
  while [ "$i" -lt "$looks" ]; do
    curl --silent --output /dev/null "$url" || failed=$((failed + 1))
    i=$((i + 1))
  done
fi
echo "$looks looks, $failed failed"
[ "$failed" = 0 ]
