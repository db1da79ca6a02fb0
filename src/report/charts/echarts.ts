/** Apache ECharts with the parts that the charts need, and no more: both the page's renderer and the live page's script have it. */
import { CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkAreaComponent, MarkLineComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([LineChart, ScatterChart, CustomChart, GridComponent, MarkLineComponent, MarkAreaComponent, SVGRenderer]);

export { init };
