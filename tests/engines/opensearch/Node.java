import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.transport.Netty4Plugin;

/**
 * One real OpenSearch node on loopback, from its libraries.
 *
 * <p>Arguments: the folder of its data, its HTTP port, and further settings as name=value. It ends
 * with SIGTERM.
 */
public final class Node extends org.opensearch.node.Node {

  private Node(Settings settings, Path home) {
    super(
        InternalSettingsPreparer.prepareEnvironment(
            settings, Map.of(), home.resolve("config"), () -> "tests"),
        List.of(Netty4Plugin.class, ReindexPlugin.class),
        true);
  }

  /** Starts the node and waits for a signal. */
  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(arguments[0]);
    Settings.Builder settings =
        Settings.builder()
            .put("path.home", home.toString())
            .put("path.data", home.resolve("data").toString())
            .put("network.host", "127.0.0.1")
            .put("http.port", arguments[1])
            .put("transport.port", "0")
            .put("discovery.type", "single-node")
            .put("cluster.routing.allocation.disk.threshold_enabled", false);
    for (int at = 2; at < arguments.length; at++) {
      String[] told = arguments[at].split("=", 2);
      settings.put(told[0], told[1]);
    }
    Node node = new Node(settings.build(), home);
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    node.close();
                  } catch (java.io.IOException error) {
                    error.printStackTrace();
                  }
                  ended.countDown();
                }));
    node.start();
    ended.await();
  }
}
