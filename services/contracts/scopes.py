"""What an API key can be allowed to do."""

PRODUCTS_READ = "products:read"
ORDERS_READ = "orders:read"
ORDERS_WRITE = "orders:write"
FAULTS_INJECT = "faults:inject"
TRACES_CONTINUE = "traces:continue"
