import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks an API, with a client for each request, which keeps its connection until it is collected. CLIENT=shared: one client for all.
 */
public class Poll {
  public static void main(String[] arguments) throws Exception {
    var env = System.getenv();
    var api = URI.create(env.getOrDefault("API", "http://api.example/orders"));
    int requests = Integer.parseInt(env.getOrDefault("REQUESTS", "150"));
    boolean shared = env.getOrDefault("CLIENT", "per-request").equals("shared");
    List<HttpClient> clients = new ArrayList<>();
    clients.add(HttpClient.newHttpClient());
    int failures = 0;
    String last = "";
    for (int i = 0; i < requests; i++) {
      if (!shared) clients.add(HttpClient.newHttpClient());
      try {
        clients.get(clients.size() - 1).send(HttpRequest.newBuilder(api).build(), HttpResponse.BodyHandlers.ofString());
      } catch (java.io.IOException error) {
        failures++;
        last = String.valueOf(error.getMessage());
      }
    }
    System.out.printf("%d requests, %d failures %s%n", requests, failures, last);
    System.exit(failures > 0 ? 1 : 0);
  }
}
